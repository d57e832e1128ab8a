/** VMCSs, tables and programs at random: the guest dies or goes on, and nothing is thrown but what says that an entry was refused. */
import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { Field, type FieldName } from '../../src/vmx/fields.ts'
import { createGuest, EPT, GUEST, GUEST_BYTES, type TestGuest } from './guest.ts'

/** Whole numbers below `bound`: xorshift32. */
function random(seed: number): (bound: number) => number {
  let state = Math.imul(seed, 0x9e37_79b9) | 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

const NAMES = Object.keys(Field) as FieldName[]
const writable = NAMES.filter((name) => (Field[name] & 0xc00) !== 0x400)

/** Numbers at which fields change their meaning, and any others. */
function value(next: (bound: number) => number): bigint {
  const kind = next(6)
  if (kind === 0) return 0n
  if (kind === 1) return 0xffff_ffff_ffff_ffffn
  if (kind === 2) return 1n << BigInt(next(64))
  if (kind === 3) return BigInt(next(0x40_0000))
  return (BigInt(next(2 ** 32)) << 32n) | BigInt(next(2 ** 32))
}

/** Enters and runs, again after each exit. What is thrown must be the refusal of an instruction. */
function torment(guest: TestGuest, entries: number): string[] {
  const outcomes: string[] = []
  for (let n = 0; n < entries; n++) {
    try {
      if (!guest.root.enter()) outcomes.push(`failed ${guest.root.exitReason}`)
      else {
        const { reason } = guest.cpu.run(500)
        outcomes.push(reason === 'vm-exit' ? `exit ${guest.root.exitReason}` : reason)
        if (reason !== 'vm-exit') guest.root.interrupt()
      }
    } catch (error) {
      if (!isVmexitError(error, 'vmx-instruction')) throw error
      outcomes.push('refused')
    }
  }
  return outcomes
}

/** Bytes that a guest may take for a program. */
function scribble(guest: TestGuest, next: (bound: number) => number): void {
  const bytes = Uint8Array.from({ length: 64 }, () => next(256))
  guest.memory.writeBytes(GUEST + 0x1000, bytes)
}

describe.each(['reference', 'interpreter'] as const)('whatever a VMM writes, under %s', (engine) => {
  it('any field can hold anything', () => {
    const seen = new Set<string>()
    const guest = createGuest({ engine })
    for (let seed = 1; seed <= (engine === 'reference' ? 400 : 200); seed++) {
      const next = random(seed)
      const before = new Map(writable.map((name) => [name, guest.root.read64(name)]))
      scribble(guest, next)
      for (let n = 0; n <= next(4); n++) guest.root.write(writable[next(writable.length)]!, value(next))
      for (const outcome of torment(guest, 2)) seen.add(outcome)
      for (const [name, known] of before) guest.root.write(name, known)
      guest.cpu.events.shutdown = false
    }
    // It was no formality: entries were refused, failed, and succeeded.
    expect(seen).toContain('refused')
    expect(seen).toContain('failed 33')
    expect([...seen].filter((outcome) => outcome.startsWith('exit')).length).toBeGreaterThan(2)
  })

  it('so can extended page tables, and tables that are not there', () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= (engine === 'reference' ? 60 : 24); seed++) {
      const next = random(seed * 31)
      const guest = createGuest({ engine })
      scribble(guest, next)
      for (let n = 0; n < 20; n++) {
        const table = EPT + next(4) * 0x1000
        const entry = table + next(table === EPT + 0x3000 ? GUEST_BYTES / 0x1000 : 4) * 8
        guest.memory.write64(entry, next(2 ** 32), next(4) === 0 ? next(2 ** 32) : 0)
      }
      for (const outcome of torment(guest, 3)) seen.add(outcome)
    }
    expect(seen).toContain('exit 48')
    expect(seen).toContain('exit 49')
  })

  it('a guest that only exits does not hold its VMM', () => {
    const guest = createGuest({ engine })
    // cpuid; jmp back
    guest.put(0x1000, [0x0f, 0xa2, 0xeb, 0xfc])
    for (let n = 0; n < 1000; n++) {
      guest.exit()
      guest.skip()
    }
    expect(guest.root.exits).toEqual({ cpuid: 1000 })
  })
})
