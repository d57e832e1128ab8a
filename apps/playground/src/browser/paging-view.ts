/**
 * How a linear address is translated at the moment, reference by reference, and what the modelled TLB holds: read from the tables in the
 * simulated memory, without a trace in guest, TLB or counts.
 */
import {
  Access,
  ExtendedPageTables,
  FORMAT_32BIT,
  FORMAT_PAE,
  Right,
  type TlbState,
  Walker,
  WalkResult,
  walkControls,
} from '@vmexit/paging'
import type { Pc } from '@vmexit/vmexit'
import { VtxVcpu } from '@vmexit/vtx'
import type { Cpu } from '@vmexit/x86'

/** One reference to a table's entry. */
export interface Reference {
  /** Whose table: what the CPU's CR3 leads to, or the second stage of a VM. */
  readonly stage: 'first' | 'second'
  /** Of the machine. */
  readonly address: number
  /** The entry, in hexadecimal. */
  readonly entry: string
}

/** A slot of the TLB by what it maps. */
export const slotKinds = ['empty', 'supervisor', 'user', 'global', 'large page'] as const

/** One side of the TLB. */
export interface TlbSide {
  /** By slot, a number of {@link slotKinds}. */
  readonly slots: Uint8Array<ArrayBuffer>
  readonly valid: number
  /** What it says of the address: the frame's number, or that a walk is needed. */
  readonly frame: number | undefined
}

/** What there is to see. */
export interface PagingView {
  readonly linear: number
  /** Who walks and where it begins: in a sentence. */
  readonly walker: string
  readonly references: readonly Reference[]
  /** Where the address lies in the machine's memory, or why nowhere. */
  readonly outcome: string
  readonly data: TlbSide
  readonly code: TlbSide
}

const CR0_PG = 0x8000_0000
const CR4_PAE = 1 << 5
const CR4_PSE = 1 << 4
const hex = (value: number, digits = 8) => value.toString(16).padStart(digits, '0')

/** Between two slices of the PC; of the guest's instruction unless an address is stated. */
export function pagingView(pc: Pc, linear: number = pc.position.ip): PagingView {
  const { cpu, memory, vcpu } = hardwareOf(pc)
  const { mmu } = cpu.paging
  const { cr0, cr3, cr4, pdptes, data, instruction } = mmu.save()
  const eptPointer =
    vcpu !== undefined && pc.mmu === 'nested-paging' ? vcpu.parts.host.root.read('eptPointer') : undefined
  const references: Reference[] = []
  const second =
    eptPointer && new ExtendedPageTables(recording('second'), eptPointer, walkControls({ maxPhysicalAddress: 36 }))
  const found = new WalkResult()
  const controls = walkControls({ pse: (cr4 & CR4_PSE) !== 0, pse36: true, pge: true, maxPhysicalAddress: 36 })
  const access = Access.READ | Access.PEEK

  /** Memory that notes what is read of it. Entries of 8 bytes are read in two halves. */
  function recording(stage: Reference['stage']) {
    return {
      read32(address: number): number {
        const value = memory.read32(address)
        const last = references.at(-1)
        if (last?.stage === stage && last.address === address - 4) {
          references[references.length - 1] = { ...last, entry: hex(value >>> 0) + last.entry }
        } else references.push({ stage, address, entry: hex(value >>> 0) })
        return value
      },
      write32(): void {},
    }
  }

  function walk(): boolean {
    if ((cr0 & CR0_PG) === 0) {
      if (!second) {
        found.physical = linear
        return true
      }
      const host = second.reach(linear, access)
      found.physical = host
      return host >= 0
    }
    if ((cr4 & CR4_PAE) === 0) {
      return new Walker(FORMAT_32BIT).walk(
        recording('first'),
        cr3,
        linear,
        access,
        controls,
        found,
        second || undefined,
      )
    }
    const pointer = pdptes[(linear >>> 30) * 2]!
    if ((pointer & 1) === 0) return false
    const base = ((pointer & 0xffff_f000) >>> 0) + pdptes[(linear >>> 30) * 2 + 1]! * 2 ** 32
    return new Walker(FORMAT_PAE).walkFrom(
      2,
      base,
      recording('first'),
      linear,
      access,
      controls,
      found,
      second || undefined,
    )
  }

  const ok = walk()
  return {
    linear,
    walker: walkerOf(pc, (cr0 & CR0_PG) !== 0, cr3, eptPointer),
    references,
    outcome: ok ? `It lies at ${hex(found.physical)} in the machine’s memory.` : missing(pc, second !== undefined),
    data: sideOf(data, mmu.find(linear, Access.READ)),
    code: sideOf(instruction, mmu.find(linear, Access.FETCH)),
  }
}

/** The CPU that executes the guest, with the memory that its tables lie in. */
function hardwareOf(pc: Pc): { cpu: Cpu; memory: { read32(address: number): number }; vcpu: VtxVcpu | undefined } {
  const system = pc.technique === 'software-emulation' ? pc.system : pc.machine
  const vcpu = pc.system.find('cpu')
  return {
    cpu: system.find('x86')!,
    memory: system.find('guestMemory')!,
    vcpu: vcpu instanceof VtxVcpu ? vcpu : undefined,
  }
}

function walkerOf(pc: Pc, paging: boolean, cr3: number, eptPointer: number | undefined): string {
  const who = pc.technique === 'software-emulation' ? 'The VMM walks' : 'The CPU walks'
  const behind = eptPointer === undefined ? '' : `, and for each address in them the VM’s tables at ${hex(eptPointer)}`
  if (!paging)
    return eptPointer === undefined
      ? 'Paging is off: addresses are physical'
      : `${who} only the VM’s tables: the guest’s paging is off`
  const whose = pc.mmu === 'shadow-paging' ? 'the VMM’s shadow of the guest’s tables' : 'the guest’s tables'
  return `${who} ${whose} at ${hex(cr3)}${behind}`
}

function missing(pc: Pc, nested: boolean): string {
  if (pc.mmu === 'shadow-paging') return 'No entry: the next access is a fault, and leaves to the VMM.'
  return nested
    ? 'No entry: the next access is a page fault of the guest’s, or leaves by an EPT violation.'
    : 'No entry: the next access is a page fault.'
}

function sideOf({ entries, valid, space }: TlbState, frame: number): TlbSide {
  const slots = new Uint8Array(entries)
  let own = 0
  for (const { page, rights, pageShift, space: of } of valid) {
    if (of !== space) continue
    own++
    slots[page % entries] = pageShift > 12 ? 4 : (rights & Right.GLOBAL) !== 0 ? 3 : (rights & Right.USER) !== 0 ? 2 : 1
  }
  return { slots, valid: own, frame: frame < 0 ? undefined : frame }
}
