/** The DSDT of a PC: soft-off, the PCI root with its interrupts, and what stands on the ISA bus. */
import {
  type Aml,
  busNumbers,
  device,
  eisaId,
  integer,
  io,
  ioRange,
  irq,
  littleEndian,
  memoryRange,
  name,
  packageOf,
  resources,
  scope,
} from './aml.ts'
import { softOffType } from './power-management.ts'

/** A serial port to be described. */
export interface SerialPortDescription {
  readonly port: number
  readonly irq: number
}

/** What a DSDT describes. */
export interface DsdtOptions {
  /** The PCI root; none if undefined. */
  readonly pci?: PciDescription | undefined
  /** Serial ports. */
  readonly serialPorts: readonly SerialPortDescription[]
}

/** A PCI root to be described: for the bus of `@vmexit/pci` that is what `pciDescription()` gives. */
export interface PciDescription {
  /** Addresses that it passes on to memory-mapped devices: the first and the last. */
  readonly memory: readonly [first: number, last: number]
  /**
   * The interrupt input for pin `pin` (0–3 for INTA–INTD) of device `device`, as a number of the I/O APIC's inputs or of
   * ISA interrupts without one.
   */
  readonly interrupt: (device: number, pin: number) => number
}

/** The terms. */
export function dsdt({ pci, serialPorts }: DsdtOptions): Aml {
  const serial = serialPorts.map(({ port, irq: line }, i) =>
    device(
      `COM${i + 1}`,
      name('_HID', eisaId('PNP0501')),
      name('_UID', integer(i + 1)),
      name('_CRS', resources(io(port, 8), irq(line))),
    ),
  )
  const isa = [
    device('RTC', name('_HID', eisaId('PNP0B00')), name('_CRS', resources(io(0x70, 2), irq(8)))),
    device('KBD', name('_HID', eisaId('PNP0303')), name('_CRS', resources(io(0x60, 1), io(0x64, 1), irq(1)))),
    device('MOU', name('_HID', eisaId('PNP0F13')), name('_CRS', resources(irq(12)))),
    ...serial,
  ]
  const root = pci === undefined ? [] : [pciRoot(pci)]
  return [
    ...scope('\\_SB', ...root, ...isa),
    ...name('\\_S5', packageOf(integer(softOffType), integer(softOffType), integer(0), integer(0))),
  ]
}

function pciRoot({ memory, interrupt }: PciDescription): Aml {
  const routes: Aml[] = []
  for (let slot = 0; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const address: Aml = [0x0c, ...littleEndian(slot * 0x1_0000 + 0xffff, 4)]
      routes.push(packageOf(address, integer(pin), integer(0), integer(interrupt(slot, pin))))
    }
  }
  return device(
    'PCI0',
    name('_HID', eisaId('PNP0A03')),
    name('_UID', integer(0)),
    name(
      '_CRS',
      resources(
        busNumbers(0, 0xff),
        io(0xcf8, 8),
        ioRange(0x0000, 0x0cf7),
        ioRange(0x0d00, 0xffff),
        memoryRange(0x000a_0000, 0x000b_ffff),
        memoryRange(memory[0], memory[1]),
      ),
    ),
    name('_PRT', packageOf(...routes)),
  )
}
