/** A section that is a counted list of entries (core specification, section 5.5.2). */
import { ByteWriter } from './bytes.ts'

export class Section {
  count = 0
  private readonly id: number
  private readonly entries: ByteWriter

  constructor(id: number, capacity?: number) {
    this.id = id
    this.entries = new ByteWriter(capacity)
  }

  /** Size of the entries in bytes. */
  get length(): number {
    return this.entries.length
  }

  /** Where to write one more entry. */
  entry(): ByteWriter {
    this.count++
    return this.entries
  }

  /** Appends the section, unless it is empty; a custom section opens with its name. */
  writeTo(out: ByteWriter, customName?: string): void {
    if (this.count === 0) return
    out.u8(this.id)
    out.reserve(this.entries.length + 64)
    const start = out.beginSized()
    if (customName !== undefined) out.name(customName)
    out.u32(this.count)
    out.append(this.entries)
    out.endSized(start)
  }
}
