/**
 * Names of bytes as the JavaScript strings that memfs keeps, and back.
 *
 * What is UTF-8 becomes the text that it is. Each byte of what is not becomes a lone surrogate, 0x80 as U+DC80 to 0xFF as
 * U+DCFF (Python's *surrogateescape*, PEP 383): such a string is no text, and stands for these bytes and no others.
 */
import { type ByteString, byteStringOf, bytesOf, toByteString } from '../names.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const ascii = /^[\x00-\x7f]*$/
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const escaped = /[\udc80-\udcff]/
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The string that memfs keeps for a name, or for the target of a link. */
export function toMemfs(name: ByteString): string {
  if (ascii.test(name)) return name
  const bytes = bytesOf(name)
  try {
    return decoder.decode(bytes)
  } catch {
    return escapeBytes(bytes)
  }
}

/** The bytes of a string of memfs, or `undefined` where it has lone surrogates that stand for no byte. */
export function fromMemfs(name: string): ByteString | undefined {
  if (ascii.test(name)) return name
  if (!loneSurrogate.test(name)) return toByteString(name)
  let bytes = ''
  for (const character of name) {
    if (escaped.test(character) && character.length === 1) bytes += String.fromCharCode(character.charCodeAt(0) & 0xff)
    else if (loneSurrogate.test(character)) return undefined
    else bytes += toByteString(character)
  }
  return toMemfs(bytes) === name ? bytes : undefined
}

function escapeBytes(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!)
    const part = bytes.subarray(at, at + length)
    try {
      text += decoder.decode(part)
      at += length
    } catch {
      text += String.fromCharCode(0xdc00 | part[0]!)
      at++
    }
  }
  return text
}

/** Bytes of the sequence of UTF-8 that a byte begins. */
function sequenceLength(first: number): number {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** A target that cannot be told exactly is told as text. */
export function targetFromMemfs(target: string): ByteString {
  return fromMemfs(target) ?? byteStringOf(new TextEncoder().encode(target))
}
