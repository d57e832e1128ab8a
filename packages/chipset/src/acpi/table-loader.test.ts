import { expect, test } from 'vitest'
import { acpiFiles } from './table-loader.ts'

/** What firmware does with the script: places the files, and returns memory. */
function firmware(
  files: Readonly<Record<string, Uint8Array>>,
  addresses: Readonly<Record<string, number>>,
): Uint8Array {
  const memory = new Uint8Array(1 << 20)
  const view = new DataView(memory.buffer)
  const script = files['etc/table-loader']!
  const text = (at: number) => new TextDecoder().decode(script.subarray(at, at + 56)).replace(/\0.*$/s, '')
  const place: Record<string, number> = {}
  for (let at = 0; at < script.length; at += 128) {
    const word = (offset: number) => new DataView(script.buffer).getUint32(at + offset, true)
    const file = text(at + 4)
    if (word(0) === 1) {
      const address = addresses[file]!
      expect(address % word(60)).toBe(0)
      memory.set(files[file]!, address)
      place[file] = address
    } else if (word(0) === 2) {
      const where = place[file]! + word(116)
      view.setUint32(where, view.getUint32(where, true) + place[text(at + 60)]!, true)
    } else {
      const [at8, start, length] = [word(60), word(64), word(68)]
      const bytes = memory.subarray(place[file]! + start, place[file]! + start + length)
      memory[place[file]! + at8]! -= bytes.reduce((sum, byte) => sum + byte, 0)
    }
  }
  return memory
}

test('placed anywhere by the script, the tables find each other and their checksums are right', () => {
  const memory = firmware(acpiFiles(), { 'etc/acpi/rsdp': 0xf_5a00, 'etc/acpi/tables': 0x7_0040 })
  const view = new DataView(memory.buffer)
  const word = (at: number) => view.getUint32(at, true)
  const name = (at: number) => new TextDecoder().decode(memory.subarray(at, at + 4))
  const sum = (at: number, length: number) => memory.subarray(at, at + length).reduce((a, b) => (a + b) & 0xff, 0)
  expect(sum(0xf_5a00, 20)).toBe(0)
  const rsdt = word(0xf_5a10)
  expect([name(rsdt), sum(rsdt, word(rsdt + 4))]).toEqual(['RSDT', 0])
  const [fadt, madt] = [word(rsdt + 36), word(rsdt + 40)] as const
  for (const [at, signature] of [
    [fadt, 'FACP'],
    [madt, 'APIC'],
    [word(fadt + 40), 'DSDT'],
  ] as const) {
    expect([name(at), sum(at, word(at + 4))]).toEqual([signature, 0])
  }
  expect([name(word(fadt + 36)), word(fadt + 36) % 64]).toEqual(['FACS', 0])
  expect([word(fadt + 132), word(fadt + 140)]).toEqual([word(fadt + 36), word(fadt + 40)])
})
