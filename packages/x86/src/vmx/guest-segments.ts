/** Segment registers in a VMCS (SDM vol. 3C, 24.4.1). */
import { Seg } from '@vmexit/x86-decoder'
import { LDTR, TR } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { writeSegment } from '../system/segments.ts'
import { Field } from './fields.ts'
import type { Vmcs } from './vmcs.ts'

/** Access rights, bit 16: nothing can be accessed through the register. */
const UNUSABLE = 0x1_0000
const PRESENT = 0x80

interface SegmentFields {
  readonly seg: number
  readonly selector: number
  readonly base: number
  readonly limit: number
  readonly rights: number
}

const named = (seg: number, name: 'Es' | 'Cs' | 'Ss' | 'Ds' | 'Fs' | 'Gs' | 'Ldtr' | 'Tr'): SegmentFields => ({
  seg,
  selector: Field[`guest${name}Selector`],
  base: Field[`guest${name}Base`],
  limit: Field[`guest${name}Limit`],
  rights: Field[`guest${name}Rights`],
})

const SEGMENTS: readonly SegmentFields[] = [
  named(Seg.es, 'Es'),
  named(Seg.cs, 'Cs'),
  named(Seg.ss, 'Ss'),
  named(Seg.ds, 'Ds'),
  named(Seg.fs, 'Fs'),
  named(Seg.gs, 'Gs'),
  named(LDTR, 'Ldtr'),
  named(TR, 'Tr'),
]

/** Bits 11:8 of the state's attributes are bits 15:12 of access rights. */
function rightsOf(attributes: number): number {
  const rights = (attributes & 0xff) | ((attributes & 0xf00) << 4)
  return (attributes & PRESENT) === 0 ? rights | UNUSABLE : rights
}
function attributesOf(rights: number): number {
  const attributes = (rights & 0xff) | ((rights >> 4) & 0xf00)
  return (rights & UNUSABLE) === 0 ? attributes : attributes & ~PRESENT
}

export function saveSegments(vmcs: Vmcs, state: CpuState): void {
  for (const { seg, selector, base, limit, rights } of SEGMENTS) {
    vmcs.set32(selector, state.selector(seg))
    vmcs.setNumber(base, state.segBase(seg))
    vmcs.set32(limit, state.segLimit(seg))
    vmcs.set32(rights, rightsOf(state.attributes(seg)))
  }
}

export function loadSegments(vmcs: Vmcs, state: CpuState): void {
  for (const { seg, selector, base, limit, rights } of SEGMENTS) {
    const attributes = attributesOf(vmcs.get32(rights))
    writeSegment(state, seg, vmcs.get32(selector), vmcs.getNumber(base), vmcs.get32(limit), attributes)
  }
}
