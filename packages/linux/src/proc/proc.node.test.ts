/** What programs read of /proc: of their memory, their limits, the machine's. */
import { expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../../test/busybox.ts'
import { shell } from '../../test/busybox-shell.ts'

const says = (script: string): string => {
  const { output, wrong } = shell(script)
  expect(wrong).toEqual([])
  return output
}

it.skipIf(!isBusyboxThere).each<[what: string, script: string, output: string]>([
  [
    'limits, as they are set',
    'ulimit -n 100; ulimit -c unlimited; grep -E "^(Limit|Max (open|core|stack|nice))" /proc/self/limits; wc -l < /proc/self/limits',
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
      'Max stack size            8388608              unlimited            bytes     \n' +
      'Max core file size        unlimited            unlimited            bytes     \n' +
      'Max open files            100                  100                  files     \n' +
      'Max nice priority         0                    0                    \n17\n',
  ],
  [
    'an area of smaps for each of maps, with sums that the roll-up has too',
    `sum() { awk -v of="$1:" '$1 == of { sum += $2 } END { print sum }' $2; }
     cat /proc/$$/smaps > /tmp/all; cat /proc/$$/smaps_rollup > /tmp/rolled
     [ $(wc -l < /proc/$$/maps) = $(grep -c '^VmFlags: ' /tmp/all) ] && echo each
     for row in Rss Private_Dirty Shared_Clean Anonymous; do [ $(sum $row /tmp/all) = $(sum $row /tmp/rolled) ] && echo $row; done
     head -n 1 /tmp/rolled | grep -o '.rollup.'`,
    'each\nRss\nPrivate_Dirty\nShared_Clean\nAnonymous\n[rollup]\n',
  ],
  [
    'pages that a child shares with its parent, each having a part of them',
    `row() { awk -v of="$1:" '$1 == of { print $2 }' /proc/$$/smaps_rollup; }
     before=$(row Shared_Dirty); sleep 5 & [ $(row Pss) -lt $(row Rss) ] && [ $(row Shared_Dirty) -ge $before ] && echo shared`,
    'shared\n',
  ],
  [
    'the vector that a program began with',
    `od -An -v -td4 /proc/self/auxv | tr -s ' \\n' '  ' | xargs -n 2 | awk '$1 == 6 { print "pages of", $2 } END { print "ends with", $1, $2 }'`,
    'pages of 4096\nends with 0 0\n',
  ],
  [
    'arguments and environment, byte by byte',
    `A=$(printf '\\377x') sh -c 'tr "\\0" "\\n" < /proc/$$/environ | grep -a ^A= | od -An -tx1; tr "\\0" "\\n" < /proc/$$/cmdline | tail -n 1 | od -An -tx1' zero $(printf '\\376')`,
    ' 41 3d ff 78 0a\n fe 0a\n',
  ],
  [
    'numbers by chance: of the boot always the same one, others never',
    'cd /proc/sys/kernel/random; grep -cE "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$" uuid; [ $(cat uuid) != $(cat uuid) ] && [ $(cat boot_id) = $(cat boot_id) ] && echo so',
    '1\nso\n',
  ],
  [
    'the processor, as programs pick its lines apart',
    "grep -c '^processor\t: ' /proc/cpuinfo; sed -n 's/^model name\t: //p' /proc/cpuinfo; grep -c '^flags\t\t: .*sse2' /proc/cpuinfo",
    '1\nvmexit pentium-m\n1\n',
  ],
  [
    'memory that files are kept in, which is there for others',
    `of() { awk -v of="$1:" '$1 == of { print $2 }' /proc/meminfo; }
     [ $(of Cached) -gt 0 ] && [ $(of MemAvailable) -gt $(of MemFree) ] && echo cached; grep -c . /proc/vmstat`,
    'cached\n9\n',
  ],
  [
    'threads, which have no threads of their own: a walk through all of it ends',
    `find /proc -path '*/task/*/task'; [ $(find /proc | wc -l) -gt 200 ] && echo walked
     cd /proc/$$; [ -e task/$$/comm ] && [ ! -e task/$$/timens_offsets ] && cmp comm task/$$/comm && grep -c "^Pid:.$$$" task/$$/status`,
    'walked\n1\n',
  ],
])(`%s${isBusyboxThere ? '' : WHY_NOT}`, (_what, script, output) => {
  expect(says(script)).toBe(output)
})
