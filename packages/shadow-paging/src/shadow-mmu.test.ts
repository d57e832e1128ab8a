import { GuestMemory } from '@vmexit/memory'
import { Access, FORMAT_32BIT, FORMAT_PAE, Walker, WalkResult, walkControls } from '@vmexit/paging'
import { HostPages, VmMemory } from '@vmexit/vmm'
import { describe, expect, it } from 'vitest'
import { ShadowMmu } from './shadow-mmu.ts'

const MIB = 2 ** 20
const PG_WP_PE = 0x8001_0001
const PG_PE = 0x8000_0001
const PAE = 0x20
const PSE = 0x10
const NXE = 0x800

/** Whole numbers below `bound`: xorshift32. */
function random(seed: number): (bound: number) => number {
  let state = seed | 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

/**
 * A guest's memory under shadow paging, and the same memory on a machine without a VMM. What both are asked must be answered alike, but for
 * where pages lie.
 */
class Twins {
  readonly machine = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 32 * MIB }] })
  readonly vm = new VmMemory(HostPages.of(this.machine), [{ kind: 'ram', start: 0, bytes: 4 * MIB }], {
    read: () => 0,
    write: () => {},
  })
  readonly bare = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 4 * MIB }] })
  readonly counts = { hidden: 0, true: 0, traced: 0 }
  readonly mmu: ShadowMmu
  readonly pae: boolean
  readonly #native: Walker
  readonly #shadow: Walker
  readonly #walked = new WalkResult()
  readonly #controls: ReturnType<typeof walkControls>
  readonly #hardware: ReturnType<typeof walkControls>
  readonly #cr3: number
  #root = 0

  constructor(pae: boolean, wp: boolean, cr3: number) {
    this.pae = pae
    this.#cr3 = cr3
    const format = pae ? FORMAT_PAE : FORMAT_32BIT
    this.#native = new Walker(format)
    this.#shadow = new Walker(format)
    this.#controls = walkControls({ wp, nx: pae })
    this.#hardware = walkControls({ wp: true, nx: pae })
    const { counts } = this
    this.mmu = new ShadowMmu({
      memory: this.vm,
      pages: HostPages.of(this.machine),
      maxPhysicalAddress: 36,
      counts,
      invalidate: () => {},
    })
    this.write(cr3, 0)
  }

  /** The guest loads CR3: PAE pointers are read then. */
  load(wp: boolean): void {
    const pdptes = new Uint32Array(8)
    if (this.pae) for (let n = 0; n < 8; n++) pdptes[n] = this.vm.read32(this.#cr3 + 4 * n)
    const cr4 = this.pae ? PAE : PSE
    this.#root = this.mmu.adopt({ cr0: wp ? PG_WP_PE : PG_PE, cr3: this.#cr3, cr4, efer: this.pae ? NXE : 0, pdptes }).cr3
  }

  /** A store that the guest makes without paging, or by DMA. */
  write(address: number, value: number): void {
    this.vm.write32(address, value)
    this.bare.write32(address, value)
  }

  /** What an access comes to: the guest-physical address, or the error code of its fault, negative. */
  native(linear: number, access: number): number {
    const walked = this.#walked
    if (this.#native.walk(this.bare, this.#cr3, linear, access, this.#controls, walked)) return walked.physical
    return -1 - walked.errorCode
  }
  /** The same by the hardware on shadow tables, with the VMM behind it. */
  shadowed(linear: number, access: number): number {
    const walked = this.#walked
    for (let tries = 0; tries < 4; tries++) {
      if (this.#shadow.walk(this.machine, this.#root, linear, access, this.#hardware, walked)) {
        return this.#guestAddress(walked.physical)
      }
      const answer = this.mmu.onPageFault(linear, walked.errorCode)
      if (typeof answer === 'number') return -1 - answer
      // The store goes to a page table: it is the VMM's to make, where the guest's tables lead.
      if (answer === 'emulate') return this.native(linear, access)
    }
    throw new Error('the shadow does not get there')
  }
  #guestAddress(physical: number): number {
    const place = Math.floor(physical / 0x1000)
    for (let page = 0; page < 1024; page++) if (this.vm.placeOf(page) === place) return page * 0x1000 + (physical % 0x1000)
    return Number.NaN
  }

  /** Bytes of both memories where tables lie. */
  differences(pages: number): string[] {
    const found: string[] = []
    for (let at = 0; at < pages * 0x1000; at += 4) {
      const [ours, theirs] = [this.vm.read32(at), this.bare.read32(at)]
      if (ours !== theirs) found.push(`${at.toString(16)}: ${ours.toString(16)} ${theirs.toString(16)}`)
    }
    return found
  }
}

/** Tables at random: a directory in page 1, tables in pages 2 to 7, all of which can be mapped too. */
function scramble(twins: Twins, next: (bound: number) => number, entries: number): void {
  const width = twins.pae ? 2 : 1
  for (let n = 0; n < entries; n++) {
    const table = 1 + next(7)
    const index = next(8)
    const page = next(10) === 0 ? 1 + next(7) : 8 + next(24)
    const target = table === 1 && next(4) > 0 ? 2 + next(6) : page
    // Present mostly, and any of writable, user, accessed, dirty; large ones of a directory only where they are aligned.
    const large = table === 1 && next(6) === 0
    const bits = (next(8) > 0 ? 1 : 0) | (next(2) << 1) | (next(2) << 2) | (next(2) << 5) | (next(2) << 6) | (large ? 0x80 : 0)
    const address = table * 0x1000 + index * 4 * width
    twins.write(address, large ? bits : target * 0x1000 + bits)
    if (twins.pae) twins.write(address + 4, next(5) === 0 ? -0x8000_0000 : 0)
  }
}

describe.each([
  ['entries of 4 bytes', false],
  ['PAE', true],
] as const)('shadows of %s', (_, pae) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('answer as the guest’s own tables do, seed %i', (seed) => {
    const next = random(seed * 7919)
    const wp = seed % 3 !== 0
    const cr3 = pae ? 0x40 : 0x1000
    const twins = new Twins(pae, wp, cr3)
    // The pointers of PAE are in page 0.
    if (pae) for (let n = 0; n < 4; n++) twins.write(cr3 + 8 * n, n < 2 ? 0x1001 : 0)
    scramble(twins, next, 200)
    twins.load(wp)
    const shift = pae ? 21 : 22
    for (let n = 0; n < 2000; n++) {
      if (next(10) === 0) scramble(twins, next, 1)
      const linear = next(8) * 2 ** shift + next(9) * 0x1000 + next(0x1000)
      const kind = [0, Access.WRITE, Access.FETCH][next(3)]! | (next(2) * Access.USER)
      const access = pae ? kind : kind & ~Access.FETCH
      const expected = twins.native(linear, access)
      expect(twins.shadowed(linear, access), `access ${n}: ${linear.toString(16)}, ${access}`).toBe(expected)
    }
    expect(twins.differences(8)).toEqual([])
    expect(twins.counts.hidden).toBeGreaterThan(50)
    expect(twins.counts.true).toBeGreaterThan(50)
  })
})

describe('without paging', () => {
  it('maps linear to the same physical address', () => {
    const twins = new Twins(false, true, 0x1000)
    twins.mmu.adopt({ cr0: 1, cr3: 0, cr4: 0, efer: 0, pdptes: new Uint32Array(8) })
    expect(twins.mmu.onPageFault(0x1234, 2)).toBe('again')
    expect(twins.mmu.onPageFault(0x50_0000, 0)).toBe('emulate')
  })
})
