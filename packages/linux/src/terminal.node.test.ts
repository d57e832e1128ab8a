/** An interactive shell of busybox on a terminal: what is typed, what is shown, and job control. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { describe, expect, it } from 'vitest'
import { kernelWith, type Tree } from '../test/run.ts'
import { checkKernel, HostTerminal, type LinuxKernel } from './index.ts'

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

/** A shell, and somebody at its keyboard. */
class Shell {
  readonly kernel: LinuxKernel
  readonly terminal: HostTerminal
  shown = ''
  status: number | undefined

  constructor(tree: Tree) {
    this.kernel = kernelWith({ engine: 'jit' }, tree)
    this.terminal = new HostTerminal(this.kernel, (bytes) => {
      this.shown += new TextDecoder('latin1').decode(bytes)
    })
    const { terminal } = this
    this.kernel.spawn({
      path: '/bin/busybox',
      args: ['sh', '-i'],
      env: { PATH: '/bin', PS1: '$ ', TERM: 'vt100' },
      files: [terminal, terminal, terminal],
      terminal: terminal.tty,
      onExit: (status) => {
        this.status = status
      },
    })
    this.wait()
  }

  /** Lets the programs run until they wait for a key, or for longer than so many virtual seconds. */
  wait(seconds = 0.5): void {
    const end = this.kernel.now + seconds * 1e9
    for (;;) {
      if (this.kernel.step(1e9) === 'ended') return
      const { next } = this.kernel.timers
      if (next > end) return
      this.kernel.skipTo(next)
    }
  }

  /** Types keys; what is shown because of them. */
  type(keys: string, seconds = 0.5): string {
    this.shown = ''
    this.terminal.tty.type(new TextEncoder().encode(keys))
    this.wait(seconds)
    return this.shown.replaceAll('\x1b[6n', '')
  }
}

describe.skipIf(!isThere)(
  `a shell on a terminal${isThere ? '' : ' (skipped: `vmexit guests` has not fetched busybox)'}`,
  () => {
    const tree = isThere ? files() : {}

    it('shows what is typed and what comes of it, and ends at ^D', () => {
      const shell = new Shell(tree)
      expect(shell.shown).toContain('$ ')
      expect(shell.type('echo one two\r')).toBe('echo one two\r\none two\r\n$ ')
      expect(shell.type('tty; stty size\r')).toContain('/dev/pts/0\r\n24 80\r\n')
      expect(shell.type('\x04')).toContain('\n')
      expect(shell.status).toBe(0)
      expect(checkKernel(shell.kernel)).toEqual([])
    }, 60_000)

    it('edits a line that a program reads', () => {
      const shell = new Shell(tree)
      shell.type('cat\r')
      expect(shell.type('abcX\x7fd\r')).toBe('abcX\b \bd\r\nabcd\r\n')
      expect(shell.type('lost\x15kept\r')).toContain('kept\r\nkept\r\n')
      expect(shell.type('\x04')).toBe('$ ')
    }, 60_000)

    it('ends a program at ^C, stops it at ^Z, and goes on with it in the background and in front', () => {
      const shell = new Shell(tree)
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
      const shell = new Shell(tree)
      expect(shell.type('vi /tmp/text\r')).toContain('/tmp/text')
      shell.type('ifirst line\rsecond\x1b')
      shell.type(':wq\r')
      expect(shell.type('cat /tmp/text\r')).toContain('first line\r\nsecond\r\n')
    }, 60_000)
  },
)
