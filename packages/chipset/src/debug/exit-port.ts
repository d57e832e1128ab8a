/** A port through which a test program ends the run with a code: what QEMU calls `isa-debug-exit`. */
import { checkState, definePart, type Part, type RegisterFile, type State } from '@vmexit/core'

/** How an exit port is attached. */
export interface ExitPortOptions {
  /** The first of its four ports; 0xf4 unless stated. */
  readonly port?: number
  /** Called with the exit code, (value << 1) | 1, in the middle of the instruction that writes it. */
  readonly onExit?: (code: number) => void
}

/** A saved exit port. */
export type ExitPortState = State & { readonly version: 1; readonly code: number | null }

/** What `machine.of(exitPort)` is. */
export interface ExitPortApi {
  /** The exit code once the guest has exited: odd, so that it never is 0. */
  readonly code: number | undefined
  reset(): void
  save(): ExitPortState
  restore(state: ExitPortState): void
}

/** Writing a value ends the run: the machine is powered off, and the code is (value << 1) | 1. Reading gives 0. */
export function exitPort({ port = 0xf4, onExit }: ExitPortOptions = {}): Part<{
  name: 'exit-port'
  needs: 'ports' | 'power'
  api: ExitPortApi
}> {
  return definePart({
    name: 'exit-port',
    needs: ['ports', 'power'],
    build({ ports, power }, _, { name }): ExitPortApi {
      let code: number | undefined
      const registers: RegisterFile = {
        size: 4,
        read: () => 0,
        write(_, __, value) {
          code = ((value << 1) | 1) >>> 0
          onExit?.(code)
          power.request('off')
        },
      }
      ports.claim(name, port, registers)
      const save = (): ExitPortState => ({ version: 1, code: code ?? null })
      return {
        get code() {
          return code
        },
        reset() {
          code = undefined
        },
        save,
        restore(state) {
          code = checkState(name, state, save()).code ?? undefined
        },
      }
    },
  })
}
