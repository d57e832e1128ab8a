/** What a loader has decided, as text. */
import { hex } from '@vmexit/core'
import type { BootEntry, BootImage } from './image.ts'

/** Lines for people: what lies where, what the guest is told of memory, where the CPU begins. */
export function describeBoot(image: BootImage): string {
  const lines = [`${image.title}`]
  const all = [
    ...image.ranges.map(({ start, bytes, name, kind, readOnly }) => ({
      start,
      bytes,
      text: `${name ?? kind}${readOnly && kind === 'ram' ? ', read-only' : ''}`,
    })),
    ...image.pieces.map(({ address, bytes, size = bytes.length, name }) => ({
      start: address,
      bytes: size,
      text: name,
    })),
  ]
  lines.push(
    'in memory:',
    ...all.sort((a, b) => a.start - b.start).map(({ start, bytes, text }) => row(start, bytes, text)),
  )
  if (image.memoryMap.length > 0) {
    lines.push('memory map:', ...image.memoryMap.map(({ start, bytes, kind }) => row(start, bytes, kind)))
  }
  return [...lines, `starts ${describeEntry(image.entry)}`, ''].join('\n')
}

/** Ten digits reach to 1 TiB. */
const digits = (address: number): string => address.toString(16).padStart(10, '0')

function row(start: number, bytes: number, text: string): string {
  return `  ${digits(start)}–${digits(start + Math.max(bytes, 1) - 1)}  ${sizeOf(bytes).padStart(10)}  ${text}`
}

function sizeOf(bytes: number): string {
  const kib = Math.ceil(bytes / 1024)
  if (bytes < 1024) return `${bytes} B`
  return kib % 1024 === 0 ? `${kib / 1024} MiB` : `${kib} KiB`
}

function describeEntry(entry: BootEntry): string {
  switch (entry.mode) {
    case 'reset':
      return 'at the reset vector'
    case 'real':
      return `in real mode at ${entry.cs.toString(16).padStart(4, '0')}:${entry.ip.toString(16).padStart(4, '0')}`
    default:
      return `in flat protected mode at ${hex(entry.eip)}`
  }
}
