/** Debian's interactive programs on a terminal: bash with readline and job control, python's prompt, top. */
import { describe, expect, it } from 'vitest'
import { debianEnvironment, debianKernel, haveDebian, withoutDebian } from '../test/debian.ts'
import { Shell } from '../test/shell.ts'
import { checkKernel } from './index.ts'

const start = (...args: string[]): Shell =>
  new Shell(debianKernel(), {
    path: `/usr/bin/${args[0]}`,
    args,
    env: { ...debianEnvironment, TERM: 'vt100', PS1: '$ ' },
  })
/** Without what moves the cursor and sets modes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
const plain = (shown: string): string => shown.replace(/\x1b\[[?0-9;]*[a-zA-Z]|\x1b[()=>78][B0]?|\x0f/g, '')

describe.skipIf(!haveDebian)(`Debian's programs on a terminal${withoutDebian}`, () => {
  it('bash edits a line, remembers it, completes names, and moves jobs to the background and back', () => {
    const shell = start('bash', '--norc', '-i')
    expect(plain(shell.type('echo onX\x7fe; tty\r'))).toContain('one\r\n/dev/pts/0\r\n')
    expect(plain(shell.type('\x1b[A\x01#\r'))).toContain('#echo one; tty')
    expect(plain(shell.type('ls -d /usr/sh\t\r'))).toContain('/usr/share/')
    shell.type('sleep 5\r')
    expect(plain(shell.type('\x1a'))).toMatch(/\[1\]\+ {2}Stopped +sleep 5/)
    expect(plain(shell.type('bg; jobs\r'))).toMatch(/\[1\]\+ sleep 5 &\r\n\[1\]\+ {2}Running +sleep 5 &/)
    shell.type('fg\r', 10)
    expect(plain(shell.type('echo $?\r'))).toMatch(/\r0\r\n/)
    shell.type('sleep 99 | cat\r')
    expect(plain(shell.type('\x03'))).toContain('^C')
    expect(plain(shell.type(`echo "\${PIPESTATUS[@]}"\r`))).toContain('130 130')
    shell.type('\x04')
    expect(shell.status).toBe(0)
    expect(checkKernel(shell.kernel)).toEqual([])
  }, 120_000)

  it("python's prompt takes lines, blocks and ^C", () => {
    const shell = start('python3', '-q')
    expect(plain(shell.type('6 * 7\r'))).toContain('\r\n42\r\n>>> ')
    expect(plain(shell.type('for n in range(2): print(n)\r\r'))).toContain('0\r\n1\r\n')
    shell.type('import time; time.sleep(99)\r')
    expect(plain(shell.type('\x03'))).toContain('KeyboardInterrupt')
    shell.type('exit(7)\r')
    expect(shell.status).toBe(7 << 8)
  }, 120_000)

  it('top shows processes and obeys keys', () => {
    const shell = start('bash', '--norc', '-i')
    const first = plain(shell.type('sleep 99 & top\r', 1))
    expect(first).toMatch(/Tasks: +3 total/)
    expect(first).toMatch(/MiB Mem/)
    expect(first).toMatch(/root .* bash/)
    expect(plain(shell.type('q'))).toContain('$ ')
    expect(plain(shell.type('ps -o pid,stat,tty,comm\r'))).toMatch(/ 2 S +pts\/0 +sleep\r\n/)
    expect(plain(shell.type('stty size; tput cols\r'))).toContain('24 80\r\n80\r\n')
  }, 120_000)
})
