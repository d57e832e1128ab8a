/** Names as they are shown: an archive's may hold what moves a terminal's cursor, begins a line of its own, or is no text. */
import { type ByteString, bytesOf } from '@vmexit/vfs'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A name in which control characters, and all bytes above 0x7f where they are no UTF-8, are a backslash and three octal digits. */
export function shown(name: ByteString): string {
  try {
    return printable(decoder.decode(bytesOf(name)))
  } catch {
    return escaped(name, /[^ -~]/g)
  }
}

/** A text, such as an error that quotes a name, without control characters. */
export function printable(text: string): string {
  return escaped(text, /\p{Cc}/gu)
}

function escaped(text: string, what: RegExp): string {
  return text.replace(what, (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
