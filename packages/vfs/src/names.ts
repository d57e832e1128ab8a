/**
 * Byte strings: how names, paths, link targets and names of attributes are held (path_resolution(7): any bytes but `/`
 * and 0).
 *
 * A byte string is a JavaScript string with one character, U+0000 to U+00FF, per byte. It loses nothing of a name that
 * is no UTF-8, an engine keeps it at one byte per character, and it is what is fastest as a key: a `Map` hashes a string
 * once and keeps the hash in it, where a typed array could only be compared byte by byte. ASCII, which is what most
 * names are, looks the same in both forms.
 */

/** A string of bytes: each character is one, U+0000 to U+00FF. `toByteString` makes one of text. */
export type ByteString = string

const encoder = new TextEncoder()
const decoder = new TextDecoder()
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const ascii = /^[\x00-\x7f]*$/

/** The bytes of a text in UTF-8, as a byte string. */
export function toByteString(text: string): ByteString {
  return ascii.test(text) ? text : byteStringOf(encoder.encode(text))
}

/** The text of a byte string in UTF-8. Bytes that are no UTF-8 become U+FFFD: for people, not for going back. */
export function toText(bytes: ByteString): string {
  return ascii.test(bytes) ? bytes : decoder.decode(bytesOf(bytes))
}

/** Bytes as a byte string. */
export function byteStringOf(bytes: Uint8Array): ByteString {
  let result = ''
  for (let at = 0; at < bytes.length; at += 4096) {
    result += String.fromCharCode(...bytes.subarray(at, at + 4096))
  }
  return result
}

/** The bytes of a byte string. */
export function bytesOf(text: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
