/** The ACPI tables of a PC (ACPI 6.4, chapter 5; revisions of ACPI 1.0 and 2.0, which every system reads). */
import { VmexitError } from '@vmexit/core'
import { ioApicAddress, localApicAddress } from '../apic/part.ts'
import { type Aml, littleEndian } from './aml.ts'
import { type DsdtOptions, dsdt } from './dsdt.ts'
import { acpiDisable, acpiEnable } from './power-management.ts'

/** What the tables say. */
export interface AcpiTablesOptions extends Partial<DsdtOptions> {
  /** Where the RSDP goes: a multiple of 16 from 0xe0000 to 0xfffff, where systems look for it. 0xf0000 unless stated. */
  readonly rsdpAddress?: number
  /** Where the other tables go; behind the RSDP unless stated. */
  readonly address?: number
  /** The highest address that the tables may take; 0xfffff unless stated. */
  readonly limit?: number
  /** CPUs with a local APIC, or 0 for a machine without APICs and without a MADT; 1 unless stated. */
  readonly cpus?: number
  /** The first port of the fixed hardware; 0x600 unless stated. */
  readonly powerPort?: number
  /** The system control interrupt; 9 unless stated. */
  readonly sci?: number
  /** The reset register's port, or undefined if there is none; 0xcf9 unless stated. */
  readonly resetPort?: number | undefined
}

/** A table at its address. */
export interface AcpiTable {
  /** `RSD PTR `, `RSDT`, `FACP`, `FACS`, `APIC`, `DSDT`. */
  readonly signature: string
  readonly address: number
  readonly bytes: Uint8Array
}

/**
 * Builds RSDP, RSDT, FADT, FACS, MADT and DSDT for a machine with `acpiPower()` and the chips of this package: to be
 * written into memory as they are. Throws a {@link VmexitError} `acpi-address` if they do not fit where they are to go.
 */
export function acpiTables(options: AcpiTablesOptions = {}): readonly AcpiTable[] {
  const { rsdpAddress = 0xf_0000, address = rsdpAddress + 64, limit = 0xf_ffff, cpus = 1 } = options
  if (rsdpAddress % 16 !== 0 || rsdpAddress < 0xe_0000 || rsdpAddress > 0xf_ffe0) {
    refuse(`the RSDP cannot be at ${rsdpAddress}`, 'put it at a multiple of 16 from 0xe0000 to 0xfffe0')
  }
  const tables: AcpiTable[] = []
  let next = Math.ceil(address / 64) * 64
  const place = (bytes: Uint8Array): number => {
    const at = next
    tables.push({ signature: String.fromCharCode(...bytes.subarray(0, 4)), address: at, bytes })
    next = Math.ceil((at + bytes.length) / 64) * 64
    if (at + bytes.length - 1 > limit) refuse('the ACPI tables do not fit', 'give an address below, or a higher limit')
    return at
  }
  const facsAt = place(facs())
  const { pci, serialPorts = [{ port: 0x3f8, irq: 4 }] } = options
  const dsdtAt = place(table('DSDT', 2, dsdt({ pci, serialPorts })))
  const listed = [place(table('FACP', 3, fadt(options, facsAt, dsdtAt)))]
  if (cpus > 0) listed.push(place(table('APIC', 1, madt(cpus, options.sci ?? 9))))
  const rsdtAt = place(
    table(
      'RSDT',
      1,
      listed.flatMap((at) => littleEndian(at, 4)),
    ),
  )
  return [{ signature: 'RSD PTR ', address: rsdpAddress, bytes: rsdp(rsdtAt) }, ...tables]
}

function refuse(problem: string, remedy: string): never {
  throw new VmexitError('acpi-address', { problem, remedy })
}

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0))

/** Makes the bytes' sum 0 through the byte at `at`. */
function checksum(bytes: Uint8Array, at: number, length: number = bytes.length): void {
  let sum = 0
  for (let i = 0; i < length; i++) sum += bytes[i]!
  bytes[at] = (bytes[at]! - sum) & 0xff
}

/** A table with its header. */
function table(signature: string, revision: number, content: Aml): Uint8Array {
  const header = [
    ...ascii(signature),
    ...littleEndian(36 + content.length, 4),
    revision,
    0, // checksum
    ...ascii('VMEXIT'),
    ...ascii('VMEXITPC'),
    ...littleEndian(1, 4),
    ...ascii('VMEX'),
    ...littleEndian(1, 4),
  ]
  const bytes = Uint8Array.from([...header, ...content])
  checksum(bytes, 9)
  return bytes
}

/** The root pointer of ACPI 1.0. */
function rsdp(rsdtAt: number): Uint8Array {
  const bytes = Uint8Array.from([...ascii('RSD PTR '), 0, ...ascii('VMEXIT'), 0, ...littleEndian(rsdtAt, 4)])
  checksum(bytes, 8)
  return bytes
}

function facs(): Uint8Array {
  const bytes = new Uint8Array(64)
  bytes.set([...ascii('FACS'), ...littleEndian(64, 4)])
  bytes[32] = 1 // version
  return bytes
}

/** Generic address of an I/O register. */
const ioAddress = (port: number, bits: number): number[] => [1, bits, 0, 0, ...littleEndian(port, 8)]

function fadt(options: AcpiTablesOptions, facsAt: number, dsdtAt: number): Aml {
  const { powerPort = 0x600, sci = 9 } = options
  const reset = 'resetPort' in options ? options.resetPort : 0xcf9
  // WBINVD works, C1 on all CPUs, sleep button not fixed, RTC wake not fixed; reset register.
  const flags = 0x0001 | 0x0004 | 0x0020 | 0x0040 | (reset === undefined ? 0 : 0x0400)
  const none = ioAddress(0, 0).fill(0)
  return [
    ...littleEndian(facsAt, 4),
    ...littleEndian(dsdtAt, 4),
    1, // interrupt model: reserved since ACPI 2.0
    0, // preferred profile: unspecified
    ...littleEndian(sci, 2),
    ...littleEndian(0xb2, 4), // command port
    acpiEnable,
    acpiDisable,
    0,
    0,
    ...littleEndian(powerPort, 4), // PM1a event
    ...littleEndian(0, 4),
    ...littleEndian(powerPort + 4, 4), // PM1a control
    ...littleEndian(0, 4),
    ...littleEndian(0, 4), // PM2 control
    ...littleEndian(powerPort + 8, 4), // PM timer
    ...littleEndian(0, 4),
    ...littleEndian(0, 4), // GPE blocks
    4, // bytes of PM1 event
    2, // of PM1 control
    0,
    4, // of the PM timer
    0,
    0,
    0,
    0,
    ...littleEndian(0xfff, 2), // C2 and C3 are not there
    ...littleEndian(0xfff, 2),
    ...littleEndian(0, 4), // cache flushing by reading
    0,
    0,
    0, // alarm: day
    0, // alarm: month
    0x32, // century
    ...littleEndian(0x0003, 2), // boot architecture: ISA devices, an 8042
    0,
    ...littleEndian(flags, 4),
    ...(reset === undefined ? none : ioAddress(reset, 8)),
    0x06, // what is written to reset
    0,
    0,
    0,
    ...littleEndian(facsAt, 8),
    ...littleEndian(dsdtAt, 8),
    ...ioAddress(powerPort, 32),
    ...none,
    ...ioAddress(powerPort + 4, 16),
    ...none,
    ...none,
    ...ioAddress(powerPort + 8, 32),
    ...none,
    ...none,
  ]
}

function madt(cpus: number, sci: number): Aml {
  const processors = Array.from({ length: cpus }, (_, i) => [0, 8, i, i, ...littleEndian(1, 4)])
  const override = (source: number, input: number, flags: number) => [
    ...[2, 10, 0, source],
    ...littleEndian(input, 4),
    ...littleEndian(flags, 2),
  ]
  return [
    ...littleEndian(localApicAddress, 4),
    ...littleEndian(1, 4), // 8259As are there too
    ...processors.flat(),
    ...[1, 12, cpus, 0],
    ...littleEndian(ioApicAddress, 4),
    ...littleEndian(0, 4),
    ...override(0, 2, 0),
    ...override(sci, sci, 0x0d), // high, level
    ...[4, 6, 0xff, 0, 0, 1], // NMI on LINT1 of every CPU
  ]
}
