/** What modules and programs of a 32-bit little-endian Linux say of their needs (ELF specification, book I). */

/** The contents of a section of an ELF32 file, or undefined if it has none of that name or is no such file. */
export function elfSection(file: Uint8Array, name: string): Uint8Array | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 52 || view.getUint32(0) !== 0x7f454c46 || file[4] !== 1 || file[5] !== 1) return undefined
  const table = view.getUint32(32, true)
  const [size, count, names] = [view.getUint16(46, true), view.getUint16(48, true), view.getUint16(50, true)]
  const section = (index: number) => {
    const at = table + index * size
    if (index >= count || at + 40 > file.length) return undefined
    const start = view.getUint32(at + 16, true)
    return { name: view.getUint32(at, true), bytes: file.subarray(start, start + view.getUint32(at + 20, true)) }
  }
  const strings = section(names)?.bytes
  if (strings === undefined) return undefined
  for (let index = 1; index < count; index++) {
    const found = section(index)
    if (found !== undefined && text(strings, found.name) === name) return found.bytes
  }
  return undefined
}

/** The zero-terminated text at an offset. */
function text(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at)
  return Buffer.from(bytes.subarray(at, end < 0 ? undefined : end)).toString('latin1')
}

/** The shared libraries that a program or library is linked with: DT_NEEDED of its dynamic section. */
export function neededLibraries(file: Uint8Array): string[] {
  const dynamic = elfSection(file, '.dynamic')
  const strings = elfSection(file, '.dynstr')
  if (dynamic === undefined || strings === undefined) return []
  const view = new DataView(dynamic.buffer, dynamic.byteOffset, dynamic.byteLength)
  const found: string[] = []
  for (let at = 0; at + 8 <= dynamic.length; at += 8) {
    if (view.getUint32(at, true) === 1) found.push(text(strings, view.getUint32(at + 4, true)))
  }
  return found
}

/** The `key=value` entries of a kernel module's `.modinfo` section. */
export function moduleInfo(file: Uint8Array): { key: string; value: string }[] {
  const section = elfSection(file, '.modinfo')
  if (section === undefined) return []
  return Buffer.from(section)
    .toString('latin1')
    .split('\0')
    .flatMap((entry) => {
      const equals = entry.indexOf('=')
      return equals <= 0 ? [] : [{ key: entry.slice(0, equals), value: entry.slice(equals + 1) }]
    })
}
