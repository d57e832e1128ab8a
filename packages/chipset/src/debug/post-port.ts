/** The diagnostic port 0x80, and 0x84 beside it, to which firmware writes how far it has come. */
import { checkState, definePart, type Part, type State } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'

/** How the diagnostic ports are attached. */
export interface PostPortOptions {
  /** Which ports; 0x80 and 0x84 unless stated. */
  readonly ports?: readonly number[]
  /** Called with each code that is written. */
  readonly onCode?: (code: number, port: number) => void
}

/** Saved codes: the last one of each port. */
export type PostPortState = State & { readonly version: 1; readonly codes: readonly number[] }

/** What `machine.of(postPort)` is. */
export interface PostPortApi {
  /** The last code that was written to a port; 0 if none was. */
  code(port?: number): number
  reset(): void
  save(): PostPortState
  restore(state: PostPortState): void
}

/** Ports that show the last byte written to them, as the display of a diagnostic card does, and read back as it. */
export function postPort({ ports: addresses = [0x80, 0x84], onCode }: PostPortOptions = {}): Part<{
  name: 'post-port'
  needs: 'ports'
  api: PostPortApi
}> {
  return definePart({
    name: 'post-port',
    needs: ['ports'],
    build({ ports }, _, { name }): PostPortApi {
      let codes = addresses.map(() => 0)
      for (const [i, port] of addresses.entries()) {
        const write = (_: number, value: number) => {
          codes[i] = value
          onCode?.(value, port)
        }
        ports.claim(
          name,
          port,
          byteRegisters(1, () => codes[i]!, write),
        )
      }
      const save = (): PostPortState => ({ version: 1, codes: [...codes] })
      return {
        code: (port = addresses[0]!) => codes[addresses.indexOf(port)] ?? 0,
        reset: () => void codes.fill(0),
        save,
        restore(state) {
          codes = [...checkState(name, state, save()).codes]
        },
      }
    },
  })
}
