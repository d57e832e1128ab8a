/** What differs between two machines, in words. */
import { hex } from '@vmexit/core'
import { PAGE_BYTES } from '@vmexit/memory'
import type { Pc } from '@vmexit/vmexit'
import { memoryOf, namedState } from './state-hash.ts'

/** Lines at the most for each kind of difference. */
const enough = 40

/** One line for each difference of registers, parts, counters and memory: `what: left, right`. */
export function differences(left: Pc, right: Pc): string[] {
  const lines: string[] = []
  compare('', namedState(left), namedState(right), lines)
  return [...shorten(lines), ...shorten(memoryDifferences(left, right))]
}

function shorten(lines: readonly string[]): string[] {
  if (lines.length <= enough) return [...lines]
  return [...lines.slice(0, enough), `and ${lines.length - enough} more`]
}

function compare(path: string, left: unknown, right: unknown, lines: string[]): void {
  if (Object.is(left, right)) return
  if (isRecord(left) && isRecord(right)) {
    for (const field of new Set([...Object.keys(left), ...Object.keys(right)])) {
      compare(path === '' ? field : `${path}.${field}`, left[field], right[field], lines)
    }
    return
  }
  lines.push(`${path}: ${left}, ${right}`)
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function memoryDifferences(left: Pc, right: Pc): string[] {
  const lines: string[] = []
  const a = memoryOf(left)
  const b = memoryOf(right)
  for (const { start, bytes } of a.ranges) {
    for (let address = start; address < start + bytes; address += PAGE_BYTES) {
      const one = a.readPage(address / PAGE_BYTES)
      const other = b.readPage(address / PAGE_BYTES)
      if (one === 0 || other === 0) continue
      const page = a.host.u8.subarray(one, one + PAGE_BYTES)
      const counterpart = b.host.u8.subarray(other, other + PAGE_BYTES)
      if (Buffer.compare(page, counterpart) === 0) continue
      const first = page.findIndex((byte, i) => byte !== counterpart[i])
      const count = page.reduce((sum, byte, i) => sum + (byte === counterpart[i] ? 0 : 1), 0)
      const show = (memory: Uint8Array): string => Buffer.from(memory.subarray(first, first + 8)).toString('hex')
      lines.push(`memory ${hex(address + first)}: ${show(page)}, ${show(counterpart)} (${count} bytes in this page)`)
    }
  }
  return lines
}
