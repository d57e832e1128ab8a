/** The debug port of PC emulators, 0xE9: what a guest writes to it is text for whoever watches. */
import { definePart } from '@vmexit/core'

const PORT = 0xe9

/** The port as a part of a machine; `onByte` is given each byte as it is written. */
export function debugConsole(onByte: (byte: number) => void) {
  return definePart({
    name: 'debug-console',
    needs: ['ports', 'counters'],
    build({ ports, counters }, _, { name }) {
      const writes = counters.declare('debug-console-writes', 'Port writes to the debug console')
      ports.claim(name, PORT, {
        size: 1,
        widest: 1,
        // By this value a guest knows that somebody is there.
        read: () => PORT,
        write(_offset, _width, value) {
          counters.slots[writes]!++
          onByte(value)
        },
      })
      return {}
    },
  })
}
