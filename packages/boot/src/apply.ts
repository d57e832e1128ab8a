/** Carrying out what a loader has decided. */
import { type GuestMemory, type MemoryRange, PAGE_BYTES, pageOf } from '@vmexit/memory'
import { type Cpu, Gpr } from '@vmexit/x86'
import type { BootEntry, BootImage, BootPiece, BootRange } from './image.ts'

/** What is booted: memory, and the CPU that starts. */
export interface BootMachine {
  readonly memory: GuestMemory
  readonly cpu: Cpu
}

/**
 * Maps memory where there is none yet, writes every piece, and puts the CPU where it begins. The machine may have run
 * before: after a reset this boots it again. RAM outside of the pieces keeps what is in it.
 */
export function applyBoot(image: BootImage, { memory, cpu }: BootMachine): void {
  for (const range of image.ranges) {
    for (const missing of without(range, memory.ranges)) memory.map(missing)
  }
  for (const piece of image.pieces) write(memory, piece)
  for (const range of image.ranges) protect(memory, range)
  start(cpu, image.entry)
}

/** The parts of `range` that no range of `present`, which is ascending, covers. */
function without(range: BootRange, present: readonly MemoryRange[]): MemoryRange[] {
  const { kind, name } = range
  const end = range.start + range.bytes
  const missing: MemoryRange[] = []
  const add = (start: number, stop: number) => {
    if (stop > start) missing.push({ kind, start, bytes: stop - start, ...(name === undefined ? {} : { name }) })
  }
  let at = range.start
  for (const other of present) {
    const stop = other.start + other.bytes
    if (stop <= at || other.start >= end) continue
    add(at, other.start)
    at = stop
  }
  add(at, end)
  return missing
}

function protect(memory: GuestMemory, range: BootRange): void {
  memory.setReadOnly(range.start, range.bytes, range.kind === 'rom' || range.readOnly === true)
}

/** Whole pages of zeros are given back instead of written: an empty BSS costs nothing. */
function write(memory: GuestMemory, { address, bytes, size = bytes.length }: BootPiece): void {
  memory.load(address, bytes)
  const end = address + size
  for (let at = address + bytes.length; at < end; ) {
    const stop = Math.min(end, (pageOf(at) + 1) * PAGE_BYTES)
    if (stop - at === PAGE_BYTES) memory.unmapFrame(pageOf(at))
    else memory.load(at, new Uint8Array(stop - at))
    at = stop
  }
}

function start(cpu: Cpu, entry: BootEntry): void {
  if (entry.mode === 'flat') {
    cpu.startFlat(entry)
    return
  }
  cpu.reset()
  if (entry.mode === 'reset') return
  for (const [name, value] of Object.entries(entry.registers ?? {})) {
    cpu.state.setReg32(Gpr[name as keyof typeof Gpr], value ?? 0)
  }
  cpu.startAt(entry.cs, entry.ip)
}
