/** Each kind of namespace with Debian's busybox: what is inside is not seen outside, and the other way round. */
import { describe, expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../../test/busybox.ts'
import { shell } from '../../test/busybox-shell.ts'

const isThere = isBusyboxThere
const skipped = isThere ? '' : WHY_NOT

/** A script, what it prints, and who runs it. */
type Row = [what: string, script: string, output: string, uid?: number]

/** A script for a shell in new namespaces. */
const inside = (flags: string, script: string): string => `unshare ${flags} sh -c '${script}'`
/** Processes that ps shows, without ps itself. */
const PS = 'ps -o pid,args | grep -v "ps -o\\|grep\\|PID" | sed "s/^ *//"'

const rows: readonly (readonly [kind: string, rows: Row[]])[] = [
  [
    'uts',
    [
      ['has names of its own', `${inside('-u', 'hostname inner; hostname')}; hostname`, 'inner\nvmexit\n'],
      [
        'is entered by nsenter, and left as it was',
        'unshare -u sh -c "hostname deep; sleep 50" & sleep 1; nsenter -t $! -u hostname; nsenter -t $! -u hostname deeper; nsenter -t $! -u cat /proc/sys/kernel/hostname; hostname',
        'deep\ndeeper\nvmexit\n',
      ],
      [
        'is kept by a bind mount of its file',
        'touch /tmp/ns; unshare --uts=/tmp/ns hostname kept; nsenter --uts=/tmp/ns hostname; umount /tmp/ns; nsenter --uts=/tmp/ns hostname 2>&1 | sed s/.*://',
        'kept\n Invalid argument\n',
      ],
      [
        'is not for users',
        'unshare -u true; hostname x; echo $?',
        'unshare: unshare(0x4000000): Operation not permitted\nhostname: sethostname: Operation not permitted\n1\n',
        1000,
      ],
    ],
  ],
  [
    'pid',
    [
      [
        'counts from 1, and shows its own processes alone',
        `sleep 500 & ${inside('-p -f --mount-proc', `sleep 5 & echo me $$; ${PS}; kill $!`)}`,
        'me 1\n2 sleep 5\n',
      ],
      [
        'is seen from above with other numbers',
        'unshare -p -f sleep 70 & sleep 1; for p in /proc/[0-9]*; do grep -l "^Name:.sleep" $p/status; done | xargs grep NSpid',
        'NSpid:\t4\t1\n',
      ],
      [
        'nests',
        inside(
          '-p -f --mount-proc',
          'unshare -p -f --mount-proc sh -c "grep NSpid /proc/1/status; echo \\$\\$"; ls -d /proc/[0-9]* | wc -l',
        ),
        'NSpid:\t1\n1\n3\n',
      ],
      [
        'gives orphans to its first process, which waits for them',
        inside(
          '-p -f --mount-proc',
          '(sleep 1 & exec sh -c "true"); sleep 1; sleep 1; grep -c PPid:.1$ /proc/[0-9]*/status | grep -c ":1"; wait; ls -d /proc/[0-9]* | wc -l',
        ),
        '2\n3\n',
      ],
      [
        'spares its first process signals from within that it does not handle',
        inside('-p -f', 'kill -9 1; kill -TERM 1; kill -STOP 1; echo alive; trap "echo caught" TERM; kill -TERM 1'),
        'alive\ncaught\n',
      ],
      [
        'ends with its first process, killed from outside',
        `unshare -p -f sh -c "sleep 100 & sleep 200 & sh -c 'sleep 300; echo never'" & sleep 1; for p in /proc/[0-9]*; do grep -q "^NSpid:.[0-9]*\t1$" $p/status && echo kill && kill -9 \${p#/proc/}; done; sleep 1; grep -l "^Name:.sleep" /proc/[0-9]*/status | wc -l; wait`,
        'kill\n0\n',
      ],
      ['tells its exit code', `${inside('-p -f', 'exit 7')}; echo $?`, '7\n'],
      [
        'hides processes outside from signals',
        'sleep 500 & unshare -p -f sh -c "kill -0 $!" 2>&1 | sed s/.*://; kill -0 $! && echo there; kill $!',
        ' No such process\nthere\n',
      ],
    ],
  ],
  [
    'mnt',
    [
      [
        'keeps mounts to itself',
        `mkdir /tmp/m; ${inside('-m', 'mount -t tmpfs x /tmp/m; touch /tmp/m/f; ls /tmp/m; grep -c /tmp/m /proc/mounts')}; ls /tmp/m; grep -c /tmp/m /proc/mounts`,
        'f\n1\n0\n',
      ],
      [
        'has a root of its own by pivot_root, and nothing of the old one behind it',
        inside(
          '-m',
          'mkdir /tmp/n; mount -t tmpfs n /tmp/n; cd /tmp/n; mkdir old bin proc; cp /bin/busybox bin; ln -s busybox bin/sh; pivot_root . old; exec /bin/busybox sh -c "busybox umount -l /old; busybox rmdir /old; cd ../../..; busybox pwd; busybox ls; busybox mount -t proc p /proc; busybox wc -l < /proc/mounts"',
        ),
        '/\nbin\nproc\n2\n',
      ],
      [
        'receives from outside where it is a slave, and sends nothing',
        `mkdir /tmp/s; mount -t tmpfs s /tmp/s; mount --make-shared /tmp/s; mkdir /tmp/s/a /tmp/s/b; unshare -m --propagation slave sh -c 'sleep 2; ls /tmp/s/a; mount -t tmpfs b /tmp/s/b; touch /tmp/s/b/inner' & sleep 1; mount -t tmpfs a /tmp/s/a; touch /tmp/s/a/outer; wait; ls /tmp/s/b`,
        'outer\n',
      ],
      [
        'tells /proc/self/mountinfo what is shared',
        'mkdir /tmp/s; mount -t tmpfs s /tmp/s; mount --make-shared /tmp/s; grep -o " /tmp/s .*" /proc/self/mountinfo',
        ' /tmp/s rw,relatime shared:1 - tmpfs s rw\n',
      ],
    ],
  ],
  [
    'user',
    [
      [
        'makes its maker root',
        inside('-U -r', 'id -u; id -g; cat /proc/self/uid_map | tr -s " "; cat /proc/self/setgroups'),
        '0\n0\n 0 1000 1\ndeny\n',
        1000,
      ],
      [
        'maps owners of files both ways',
        `${inside('-U -r', 'touch /tmp/f; stat -c "%u %U" /tmp/f; stat -c %u /bin; chown 0:0 /tmp/f && echo ours; chown 1 /tmp/f 2>&1 | sed s/.*://')}; stat -c %u /tmp/f`,
        '0 root\n65534\nours\n Invalid argument\n1000\n',
        1000,
      ],
      [
        'shows nobody before its map is written',
        inside('-U', 'id -u; grep Uid: /proc/self/status'),
        '65534\nUid:\t65534\t65534\t65534\t65534\n',
        1000,
      ],
      [
        'gives rights in what belongs to it alone',
        inside(
          '-U -r -m -u',
          'hostname mine; hostname; mount -t tmpfs x /tmp && echo mounted; mknod /tmp/d c 1 3; cat /proc/self/status | grep CapEff; echo x > /bin/f; rm /bin/sh; chroot / true && echo rooted',
        ),
        "mine\nmounted\nmknod: /tmp/d: Operation not permitted\nCapEff:\t000001ffffffffff\nsh: can't create /bin/f: Permission denied\nrm: can't remove '/bin/sh': Permission denied\nrooted\n",
        1000,
      ],
      [
        'does not make its maker root outside',
        'unshare -U -r -u sh -c "hostname x; sleep 1"; hostname y; hostname',
        'hostname: sethostname: Operation not permitted\nvmexit\n',
        1000,
      ],
      [
        'has its map written once, by whom it belongs to, within the rules',
        'unshare -U sleep 5 & sleep 1; cd /proc/$!; exec 2>&1; echo 0 0 1 > uid_map; echo 0 1000 2 > uid_map; echo 5 1000 1 > uid_map; echo 0 1000 1 > uid_map; echo 0 1000 1 > gid_map; echo deny > setgroups; echo 0 1000 1 > gid_map; cat uid_map gid_map setgroups | tr -s " "',
        `${'sh: write error: Operation not permitted\n'.repeat(4)} 5 1000 1\n 0 1000 1\ndeny\n`,
        1000,
      ],
      [
        'is mapped in ranges by root outside',
        'unshare -U sleep 3 & sleep 1; printf "0 100000 1000\\n1000 5000 1\\n" > /proc/$!/uid_map; echo 0 0 4294967295 > /proc/$!/gid_map; tr -s " " < /proc/$!/uid_map; touch /tmp/a; chown 100007 /tmp/a; nsenter -t $! -U sh -c "stat -c %u /tmp/a; cat /proc/self/uid_map | wc -l"',
        ' 0 100000 1000\n 1000 5000 1\n7\n2\n',
      ],
    ],
  ],
  [
    'net',
    [
      [
        'has a loopback device that is down and has no address until it is up',
        'unshare -n sh -c "ifconfig; ping -c 1 -W 1 127.0.0.1 2>&1 | tail -n 1; ifconfig lo up; ifconfig lo | grep -o inet.addr:[0-9.]*; ping -c 1 127.0.0.1 | grep -c seq"; ifconfig | grep -c lo',
        'ping: sendto: Network is unreachable\ninet addr:127.0.0.1\n1\n1\n',
      ],
      [
        'is configured by who has rights over it alone',
        'ifconfig lo down 2>&1; unshare -U ifconfig lo down 2>&1; unshare -rn sh -c "ifconfig lo up && ifconfig lo | grep -c UP"',
        'ifconfig: SIOCSIFFLAGS: Operation not permitted\nifconfig: SIOCSIFFLAGS: Operation not permitted\n1\n',
        1000,
      ],
    ],
  ],
  [
    'cgroup',
    [
      [
        'shows the group that it was made in as the root',
        `mkdir /cg; mount -t cgroup2 c /cg; mkdir -p /cg/a/b; echo $$ > /cg/a/cgroup.procs; cat /proc/self/cgroup; unshare --help 2>/dev/null; cat /proc/1/cgroup`,
        '0::/a\n0::/a\n',
      ],
    ],
  ],
  [
    'links',
    [
      [
        'are equal where namespaces are',
        'a=$(readlink /proc/self/ns/uts); b=$(readlink /proc/1/ns/uts); c=$(unshare -u readlink /proc/self/ns/uts); [ $a = $b ] && [ $a != $c ] && echo $a; stat -L -c %i /proc/self/ns/uts; exec 3< /proc/self/ns/net; readlink /proc/self/fd/3',
        'uts:[4026531838]\n4026531838\nnet:[4026531841]\n',
      ],
    ],
  ],
]

describe.skipIf(!isThere)(`namespaces${skipped}`, () => {
  describe.each(rows)('%s', (_kind, scripts) => {
    it.each<Row>(scripts)(
      '%s',
      (_what, script, output, uid) => {
        const result = shell(script, uid === undefined ? {} : { uid })
        expect(result.output.replaceAll('Killed\n', '')).toBe(output)
        expect(result.wrong).toEqual([])
      },
      60_000,
    )
  })

  it('time: shows another uptime', () => {
    const { output } = shell('cut -d. -f1 /proc/uptime; sleep 5; cut -d. -f1 /proc/uptime', {
      namespaces: ['time'],
      before: ({ ns }) => {
        ns.time.boottime = 1000e9
      },
    })
    expect(output).toBe('1000\n1005\n')
  })
})
