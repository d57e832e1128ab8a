/**
 * ACPI's tables as files of fw_cfg, for firmware that finds its own place for them: `etc/acpi/tables`, `etc/acpi/rsdp`, and
 * `etc/table-loader`, a script of what to allocate, which pointers to add addresses to and which checksums to make
 * again (the interface that SeaBIOS and OVMF have with QEMU).
 */
import { type AcpiTable, type AcpiTablesOptions, acpiTables } from './tables.ts'

const tablesFile = 'etc/acpi/tables'
const rsdpFile = 'etc/acpi/rsdp'
const scriptFile = 'etc/table-loader'

const entryBytes = 128
const nameBytes = 56
const command = { allocate: 1, addPointer: 2, addChecksum: 3 } as const
/** Where an allocation goes: anywhere high, or from 0xf0000 to 0xfffff, where systems look for the RSDP. */
const zone = { high: 1, fSegment: 2 } as const

/** Where the tables are when they are built; offsets in the file count from here. */
const base = 0xe_0000

/** The files, by name. Options are those of `acpiTables`, without addresses. */
export function acpiFiles(
  options: Omit<AcpiTablesOptions, 'address' | 'rsdpAddress' | 'limit'> = {},
): Readonly<Record<string, Uint8Array>> {
  const all = acpiTables({ ...options, address: base, rsdpAddress: 0xf_0000 })
  const tables = all.filter(({ signature }) => signature !== 'RSD PTR ')
  const rsdp = all.find(({ signature }) => signature === 'RSD PTR ')!.bytes.slice()
  const end = Math.max(...tables.map(({ address, bytes }) => address + bytes.length))
  const contents = new Uint8Array(end - base)
  for (const { address, bytes } of tables) contents.set(bytes, address - base)

  const entries = [allocate(rsdpFile, 16, zone.fSegment), allocate(tablesFile, 64, zone.high)]
  for (const table of tables) {
    const pointers = pointersIn(table)
    const at = table.address - base
    for (const [offset, size] of pointers) {
      relocate(contents, at + offset)
      entries.push(addPointer(tablesFile, at + offset, size))
    }
    if (pointers.length > 0) entries.push(addChecksum(tablesFile, at, table.bytes.length, at + 9))
  }
  relocate(rsdp, 16)
  entries.push(addPointer(rsdpFile, 16, 4), addChecksum(rsdpFile, 0, 20, 8))
  const script = new Uint8Array(entries.length * entryBytes)
  for (const [i, entry] of entries.entries()) script.set(entry, i * entryBytes)
  return { [tablesFile]: contents, [rsdpFile]: rsdp, [scriptFile]: script }
}

/** Offsets and sizes of the addresses of other tables in a table. */
function pointersIn({ signature, bytes }: AcpiTable): readonly (readonly [offset: number, size: 4 | 8])[] {
  if (signature === 'RSDT') return Array.from({ length: (bytes.length - 36) / 4 }, (_, i) => [36 + 4 * i, 4] as const)
  // FACS and DSDT, in 32 and in 64 bits.
  return signature === 'FACP'
    ? [
        [36, 4],
        [40, 4],
        [132, 8],
        [140, 8],
      ]
    : []
}

/** Makes the address at `offset` count from the beginning of the file. */
function relocate(bytes: Uint8Array, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(offset, view.getUint32(offset, true) - base, true)
}

function entry(kind: number, names: readonly string[], numbers: readonly number[], last?: number): Uint8Array {
  const bytes = new Uint8Array(entryBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, kind, true)
  let at = 4
  for (const name of names) {
    bytes.set(new TextEncoder().encode(name), at)
    at += nameBytes
  }
  for (const number of numbers) {
    view.setUint32(at, number, true)
    at += 4
  }
  if (last !== undefined) bytes[at] = last
  return bytes
}

const allocate = (file: string, alignment: number, where: number): Uint8Array =>
  entry(command.allocate, [file], [alignment], where)

/** Every pointer is to something in the file of tables. */
const addPointer = (file: string, offset: number, size: 4 | 8): Uint8Array =>
  entry(command.addPointer, [file, tablesFile], [offset], size)

const addChecksum = (file: string, start: number, length: number, at: number): Uint8Array =>
  entry(command.addChecksum, [file], [at, start, length])
