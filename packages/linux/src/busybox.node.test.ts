/** Debian's static busybox, as `vmexit guests` fetches it: a shell and its applets. */
import { describe, expect, it } from 'vitest'
import { busybox, isBusyboxThere, WHY_NOT } from '../test/busybox.ts'
import { ENGINES, run } from '../test/run.ts'

describe.skipIf(!isBusyboxThere)(`busybox${isBusyboxThere ? '' : WHY_NOT}`, () => {
  const files = isBusyboxThere ? busybox() : {}
  const sh = (script: string, options: Partial<Parameters<typeof run>[0]> = {}) =>
    run({ files, args: ['/bin/busybox', 'sh', '-c', script], engine: 'jit', ...options })

  const scripts: readonly [what: string, script: string, output: string, status?: number][] = [
    ['pipes and arithmetic', "seq 10 | awk '{ s += $1 } END { print s }'; echo $((6 * 7))", '55\n42\n'],
    [
      'redirection, and what is appended',
      'echo a > /tmp/f; echo b >> /tmp/f; cat < /tmp/f; wc -c /tmp/f',
      'a\nb\n4 /tmp/f\n',
    ],
    [
      'files that are linked, moved, and gone',
      'cd /tmp; echo x > a; ln a b; ln -s b c; mv a d; cat c; rm b; cat c 2>/dev/null || echo gone; ls',
      'x\ngone\nc\nd\n',
    ],
    [
      'directories, found and removed',
      'mkdir -p /tmp/t/u/v; touch /tmp/t/u/v/w; find /tmp/t | sort; rm -r /tmp/t; ls /tmp',
      '/tmp/t\n/tmp/t/u\n/tmp/t/u/v\n/tmp/t/u/v/w\n',
    ],
    [
      'an archive, compressed and unpacked',
      'cd /tmp; mkdir d; seq 1000 > d/n; tar cz d > d.tgz; rm -r d; tar xzf d.tgz; md5sum < d/n',
      '53d025127ae99ab79e8502aae2d9bea6  -\n',
    ],
    ['a background job, waited for', '(sleep 1; exit 3) & wait $!; echo $?', '3\n'],
    ['a signal that is handled', 'trap "echo caught" USR1; kill -USR1 $$; echo on', 'caught\non\n'],
    ['a signal that ends it', 'kill -TERM $$; echo never', '', 15],
    [
      'a limit of data that the next program has, too',
      '(ulimit -d 2000; /bin/busybox dd if=/dev/zero of=/dev/null bs=4M count=1 2>&1 | tail -n 1); dd if=/dev/zero of=/dev/null bs=4M count=1 2>&1 | tail -n 1',
      'dd: out of memory\n1+0 records out\n',
    ],
    [
      'a limit of a file, by its signal; who ignores that hears it by an error',
      'cd /tmp; (ulimit -f 2; dd if=/dev/zero of=f bs=1500 count=2 2>/dev/null); echo $? $(stat -c %s f); (trap "" XFSZ; ulimit -f 2; dd if=/dev/zero of=f bs=1500 count=2 2>&1 | head -1; truncate -s 2000 f 2>&1; true)',
      "File size limit exceeded\n153 1024\ndd: error writing 'f': File too large\ntruncate: f: truncate: File too large\n",
    ],
    [
      'devices that give all that is asked for',
      'cd /tmp; for d in zero urandom full; do dd if=/dev/$d of=$d bs=3M count=2 2>/dev/null; stat -c %s $d; done; dd if=/dev/zero of=/dev/urandom bs=1M count=1 2>&1 | tail -n 1',
      '6291456\n6291456\n6291456\n1+0 records out\n',
    ],
    ['a FIFO', 'mkfifo /tmp/f; (echo through > /tmp/f) & cat /tmp/f', 'through\n'],
    ['a pipe whose reader goes first', 'yes | head -2', 'y\ny\n'],
    ['time that passes while it sleeps', 'a=$(date +%s); sleep 100; b=$(date +%s); echo $((b - a))', '100\n'],
    [
      'a script with its interpreter',
      'printf "#!/bin/busybox sh\\necho script $1\\n" > /tmp/s; chmod +x /tmp/s; /tmp/s; echo $?',
      'script\n0\n',
    ],
    [
      'what cannot be executed',
      '/dev/null; echo $?; nonesuch; echo $?',
      'sh: /dev/null: Permission denied\n126\nsh: nonesuch: not found\n127\n',
    ],
    [
      'mounts',
      'mkdir /tmp/m; mount -t tmpfs x /tmp/m; touch /tmp/m/f; mkdir /tmp/n; mount --bind /tmp/m /tmp/n && ls /tmp/n; umount /tmp/n; umount /tmp/m; ls /tmp/m; grep -c tmp/ /proc/mounts; true',
      'f\n0\n',
    ],
    [
      'text that is edited as it streams, and in place',
      "seq 5 | sed -n '2,4{s/3/three/;p}' | sed '1!G;h;$!d'; echo a1b > /tmp/f; sed -i 's/[0-9]/-/' /tmp/f; cat /tmp/f",
      '4\nthree\n2\na-b\n',
    ],
    [
      'fields and arrays of awk',
      `printf 'a 1\\nb 2\\na 3\\n' | awk '{ n[$1] += $2 } END { for (k in n) print k, n[k] | "sort"; close("sort"); printf "%5.2f|%s\\n", 7/3, toupper(substr("hello", 2, 3)) }'`,
      'a 4\nb 2\n 2.33|ELL\n',
    ],
    [
      'files found by age, size and kind, and what is done with them',
      "mkdir /tmp/d; cd /tmp/d; touch -d '2020-01-01' old; echo 12345 > five; ln -s five link; find . -type l; find . -mtime +1; find . -size -2 -type f -exec wc -c {} + | sort | sed 's/^ *//'; find . -name 'f*' -print0 | xargs -0 rm; ls",
      './link\n./old\n0 ./old\n6 ./five\n6 total\nlink\nold\n',
    ],
    [
      'streams that are compressed in three ways',
      'seq 2000 > /tmp/n; for z in gzip bzip2 lzop; do $z -c /tmp/n | $z -dc | md5sum; done; gzip /tmp/n; ls /tmp; zcat /tmp/n.gz | tail -n 1',
      'ea4d0a24dabcaa11f9aa979b872d162b  -\n'.repeat(3) + 'n.gz\n2000\n',
    ],
    ['its exit code', 'exit 42', '', 42 << 8],
    ['standard input', 'read a b; echo "$b $a"', 'world hello\n'],
    ['a here document', 'cat <<E\none\nE', 'one\n'],
  ]
  it.each(scripts)(
    'does %s',
    (_what, script, output, status = 0) => {
      const result = sh(script, { input: 'hello world\n' })
      expect(result.output.replace('Terminated\n', '')).toBe(output)
      expect(result.status).toBe(status)
      expect(result.wrong).toEqual([])
    },
    60_000,
  )

  it('counts the same on every engine, and however its run is cut', () => {
    const script =
      'cd /tmp; for i in 1 2 3; do echo $i | cat > $i; done; cat * | sort -r; sleep 1 & wait; ls -l | wc -l'
    const facts = [...ENGINES.map((engine) => sh(script, { engine })), sh(script, { slice: 1009 })].map(
      ({ output, retired, counts, calls, kernel }) => ({
        output,
        retired,
        counts,
        calls,
        walks: { ...kernel.cpu.paging.mmu.counts },
      }),
    )
    expect(facts[0]!.output).toBe('3\n2\n1\n4\n')
    for (const fact of facts.slice(1)) expect(fact).toEqual(facts[0])
  }, 120_000)

  it('keeps users without privileges from the files of others', () => {
    const { output } = sh('echo x > /bin/f; rm /bin/sh; kill -9 1 && id -u', { uid: 1000 })
    expect(output).toContain("can't create /bin/f: Permission denied")
    expect(output).toContain("can't remove '/bin/sh': Permission denied")
  })
})
