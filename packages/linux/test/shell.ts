/** A program on a terminal, and somebody at its keyboard. */
import { HostTerminal, type LinuxKernel } from '../src/index.ts'

/** What is started. */
export interface ShellProgram {
  readonly path: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A program with a terminal of its own. */
export class Shell {
  readonly kernel: LinuxKernel
  readonly terminal: HostTerminal
  shown = ''
  status: number | undefined

  constructor(kernel: LinuxKernel, program: ShellProgram) {
    this.kernel = kernel
    this.terminal = new HostTerminal(this.kernel, (bytes) => {
      this.shown += new TextDecoder('latin1').decode(bytes)
    })
    const { terminal } = this
    this.kernel.spawn({
      ...program,
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
