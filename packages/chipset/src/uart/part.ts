/** A serial port of a PC as a part: a 16550A, COM1 unless stated. */
import { definePart, type Part } from '@vmexit/core'
import type { ModemControl, ModemLines } from './modem.ts'
import { Uart16550, type Uart16550State } from './uart16550.ts'

/** How a serial port is attached, and who is on the other side of its line. */
export interface UartOptions {
  /** The first of its eight ports; 0x3f8 unless stated. */
  readonly port?: number
  /** Its interrupt; 4 unless stated. */
  readonly irq?: number
  /** Called with each character that the guest sends. */
  readonly onTransmit?: (bytes: Uint8Array) => void
  /** Called when the guest begins (true) or ends a break. */
  readonly onBreak?: (active: boolean) => void
  /** Called when the guest changes DTR or RTS. */
  readonly onModemControl?: (control: ModemControl) => void
  /** Called when the guest has read all that was sent to it. */
  readonly onDrain?: () => void
  /** Whether characters take the time that the line's speed says; false unless stated. */
  readonly paced?: boolean
  /** Whether input is held back while the guest has RTS off; false unless stated. */
  readonly flowControl?: boolean
  /**
   * Whether the line is set up for 115,200 baud, 8N1, from the start. Firmware does it, so this is for machines without
   * firmware, whose guest prints before it has a driver; false unless stated.
   */
  readonly configured?: boolean
}

/** The outer end of a serial line. What is sent goes through the machine's input gate: at any time, and recorded. */
export interface SerialPort {
  /** Sends characters to the guest. Returns false when much is waiting: send more when `onDrain` is called. */
  receive(bytes: Uint8Array): boolean
  /** Whether the guest takes characters yet; see `Uart16550.listening`. */
  readonly listening: boolean
  /** Sends a break. */
  receiveBreak(): void
  /** Drives CTS, DSR, RI and DCD. */
  setModemLines(lines: ModemLines): void
}

/** What `machine.of(uart)` is. */
export interface UartApi extends SerialPort {
  readonly uart: Uart16550
  reset(): void
  save(): Uart16550State
  restore(state: Uart16550State): void
}

type Input = Uint8Array | 'break' | { readonly [line in keyof ModemLines]: boolean }

/** Characters that may wait before `receive` asks to hold back. */
const enough = 4096

/** A serial port. */
export function uart({ port = 0x3f8, irq = 4, ...line }: UartOptions = {}): Part<{
  name: 'uart'
  needs: 'ports' | 'interrupts' | 'clock' | 'input'
  api: UartApi
}> {
  return definePart({
    name: 'uart',
    needs: ['ports', 'interrupts', 'clock', 'input'],
    build({ ports, interrupts, clock, input }, _, { name }): UartApi {
      const chip = new Uart16550({ ...line, clock, line: interrupts.line(irq) })
      ports.claim(name, port, chip.regions.registers)
      let posted = 0
      const gate = input.open<Input>(name, (payload) => {
        if (payload instanceof Uint8Array) {
          posted = Math.max(0, posted - payload.length)
          chip.receive(payload)
        } else if (payload === 'break') chip.receiveBreak()
        else chip.setModemLines(payload)
      })
      return {
        uart: chip,
        receive(bytes) {
          posted += bytes.length
          gate.post(bytes.slice())
          return posted + chip.waiting < enough
        },
        get listening() {
          return chip.listening
        },
        receiveBreak: () => gate.post('break'),
        setModemLines: ({ cts, dsr, ri, dcd }) => gate.post({ cts, dsr, ri, dcd }),
        reset: () => chip.reset(),
        save: () => chip.save(),
        restore: (state) => chip.restore(state),
      }
    },
  })
}
