/** An interactive shell of busybox on a terminal: what is typed, what is shown, and job control. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { describe, expect, it } from 'vitest'
import { kernelWith, type Tree } from '../test/run.ts'
import { Shell } from '../test/shell.ts'
import { checkKernel } from './index.ts'

const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
const isThere = existsSync(archive)

function files(): Tree {
  const found: Record<string, Tree[string]> = {}
  for (const entry of readCpio(gunzipSync(readFileSync(archive)))) {
    if (entry.kind === 'file') found[`/${entry.path}`] = entry.bytes
    else if (entry.kind === 'symlink') found[`/${entry.path}`] = { link: entry.target }
  }
  return found
}

const busyboxShell = (tree: Tree): Shell =>
  new Shell(kernelWith({ engine: 'jit' }, tree), {
    path: '/bin/busybox',
    args: ['sh', '-i'],
    env: { PATH: '/bin', PS1: '$ ', TERM: 'vt100' },
  })

describe.skipIf(!isThere)(
  `a shell on a terminal${isThere ? '' : ' (skipped: `vmexit guests` has not fetched busybox)'}`,
  () => {
    const tree = isThere ? files() : {}

    it('shows what is typed and what comes of it, and ends at ^D', () => {
      const shell = busyboxShell(tree)
      expect(shell.shown).toContain('$ ')
      expect(shell.type('echo one two\r')).toBe('echo one two\r\none two\r\n$ ')
      expect(shell.type('tty; stty size\r')).toContain('/dev/pts/0\r\n24 80\r\n')
      expect(shell.type('\x04')).toContain('\n')
      expect(shell.status).toBe(0)
      expect(checkKernel(shell.kernel)).toEqual([])
    }, 60_000)

    it('edits a line that a program reads', () => {
      const shell = busyboxShell(tree)
      shell.type('cat\r')
      expect(shell.type('abcX\x7fd\r')).toBe('abcX\b \bd\r\nabcd\r\n')
      expect(shell.type('lost\x15kept\r')).toContain('kept\r\nkept\r\n')
      expect(shell.type('\x04')).toBe('$ ')
    }, 60_000)

    it('ends a program at ^C, stops it at ^Z, and goes on with it in the background and in front', () => {
      const shell = busyboxShell(tree)
      expect(shell.type('sleep 1000\r')).toBe('sleep 1000\r\n')
      expect(shell.type('\x03')).toBe('^C\r\n$ ')
      expect(shell.type('echo $?\r')).toContain('130\r\n')
      shell.type('sleep 5\r')
      expect(shell.type('\x1a')).toMatch(/^\^Z\[1\]\+ {2}Stopped +sleep 5/)
      expect(shell.type('jobs\r')).toMatch(/\[1\]\+ {2}Stopped +sleep 5/)
      expect(shell.type('bg\r', 10)).toContain('[1] sleep 5')
      expect(shell.type('\r')).toMatch(/\[1\]\+ {2}Done +sleep 5/)
      shell.type('cat\r')
      shell.type('\x1a')
      expect(shell.type('fg\r')).toContain('cat\r\n')
      expect(shell.type('again\r')).toBe('again\r\nagain\r\n')
      shell.type('\x03')
      expect(shell.type('(read x; echo never) &\r', 1)).toContain('$ ')
      expect(shell.type('\r')).toMatch(/\[1\]\+ {2}Stopped \(tty input\)/)
      shell.type('kill %1; exit\r')
      shell.type('exit\r')
      expect(shell.status).toBeDefined()
      expect(checkKernel(shell.kernel)).toEqual([])
    }, 60_000)

    it('has a screen editor', () => {
      const shell = busyboxShell(tree)
      expect(shell.type('vi /tmp/text\r')).toContain('/tmp/text')
      shell.type('ifirst line\rsecond\x1b')
      shell.type(':wq\r')
      expect(shell.type('cat /tmp/text\r')).toContain('first line\r\nsecond\r\n')
    }, 60_000)

    it('shows processes until a key ends it, and again each time that is asked for', () => {
      const shell = busyboxShell(tree)
      shell.type('sleep 99 &\r')
      const first = shell.type('top -d 1\r', 0.6)
      expect(first).toMatch(/Mem: [0-9]+K used/)
      expect(first).toMatch(/CPU: .*idle/)
      expect(first).toContain('sleep 99')
      // A second later the screen is drawn anew.
      shell.shown = ''
      shell.wait(1)
      expect(shell.shown).toContain('sleep 99')
      expect(shell.type('q')).toContain('$ ')
    }, 60_000)

    it('has a pager, and edits its line with keys of the terminal', () => {
      const shell = busyboxShell(tree)
      shell.type('seq 100 > /tmp/n; less /tmp/n\r')
      expect(shell.type('G')).toContain('100')
      expect(shell.type('/42\r')).toContain('42')
      shell.type('q')
      // The line before is taken back, its last word is changed, and a name completed.
      shell.type('echo one\r')
      expect(shell.type('\x1b[A\x17two\r')).toContain('\r\ntwo\r\n')
      expect(shell.type('wc -l /tm\tn\r')).toContain('100 /tmp/n')
    }, 60_000)
  },
)
