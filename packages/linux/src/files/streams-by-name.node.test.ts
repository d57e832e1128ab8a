/** Pipes and streams of the host, opened by the names that they have in /proc and /dev. */
import { expect, it } from 'vitest'
import { isBusyboxThere, WHY_NOT } from '../../test/busybox.ts'
import { shell } from '../../test/busybox-shell.ts'

it.skipIf(!isBusyboxThere).each<[what: string, script: string, output: string]>([
  [
    'a log file that is a link to the output, as images have them',
    'mkdir -p /var/log; ln -s /dev/stdout /var/log/access.log; echo one > /var/log/access.log; echo two >> /var/log/access.log',
    'one\ntwo\n',
  ],
  ['the input, by its name', 'echo a | cat /dev/stdin; echo b | cat /dev/fd/0', 'a\nb\n'],
  [
    "a pipe of another process's, by its number",
    "echo there | sh -c 'sleep 1 & cat /proc/$!/fd/0; cat </proc/$$/fd/0; echo end'",
    'there\nend\n',
  ],
  [
    'what it is, behind the link',
    'echo x | stat -L -c %F /dev/stdin; echo x | (test -p /dev/stdin && echo pipe); test -w /dev/stdout && echo writable; true | readlink /proc/self/fd/0 | sed "s/[0-9]*//g"',
    'fifo\npipe\nwritable\npipe:[]\n',
  ],
  [
    'several at once, each its own',
    'seq 3 | (exec 5</dev/stdin; seq 7 9 | (paste /dev/fd/5 /dev/fd/0; (readlink /proc/self/fd/5; readlink /proc/self/fd/0) | sort -u | wc -l))',
    '1\t7\n2\t8\n3\t9\n2\n',
  ],
  [
    "a pipe's other end, from this one",
    'true | (exec 5>/proc/self/fd/0; echo written >&5; exec 5>&-; head -n 1)',
    'written\n',
  ],
  [
    'no name that is gone',
    'cat /proc/self/fd/77 2>&1',
    "cat: can't open '/proc/self/fd/77': No such file or directory\n",
  ],
])(`%s${isBusyboxThere ? '' : WHY_NOT}`, (_what, script, output) => {
  const ran = shell(script, { input: '' })
  expect(ran.output).toBe(output)
  expect(ran.wrong).toEqual([])
})
