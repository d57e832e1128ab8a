/**
 * The debug console at port 0xe9: a byte written is a byte of text, and reading gives 0xe9, by which firmware knows that
 * somebody listens.
 */
import { definePart, type Part } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'

/** How a debug console is attached. */
export interface DebugConsoleOptions {
  /** Its port; 0xe9 unless stated. SeaBIOS writes to 0x402, where it expects 0xe9 too. */
  readonly port?: number
  /** Called with what is written. */
  readonly onText: (bytes: Uint8Array) => void
}

/** A port that prints. It has no state. */
export function debugConsole({ port = 0xe9, onText }: DebugConsoleOptions): Part<{
  name: 'debug-console'
  needs: 'ports'
  api: object
}> {
  return definePart({
    name: 'debug-console',
    needs: ['ports'],
    build({ ports }, _, { name }): object {
      const registers = byteRegisters(
        1,
        () => 0xe9,
        (_, value) => onText(Uint8Array.of(value)),
      )
      ports.claim(name, port, registers)
      return {}
    },
  })
}
