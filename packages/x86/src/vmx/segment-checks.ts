/** Checks of VM entry on the guest's segment registers (SDM vol. 3C, 26.3.1.2). */
import { Flag, LDTR, TR } from '../state/layout.ts'
import { Cr0 } from '../system/bits.ts'
import { Field } from './fields.ts'
import type { Vmcs } from './vmcs.ts'

/** Access rights in a VMCS (table 24-2); bits 3:0 are the type. */
export const Rights = {
  type: 0xf,
  codeOrData: 0x10,
  dpl: 0x60,
  present: 0x80,
  reserved: 0xfffe_0f00,
  granular: 0x8000,
  unusable: 0x1_0000,
} as const

const DPL_SHIFT = 5
/** Bits of the type of a code or data segment. */
const ACCESSED = 1
const READABLE = 2
const CODE = 8
/** Types by number (vol. 3A, tables 3-1 and 3-2). */
const READ_WRITE = 3
const READ_WRITE_DOWN = 7
const LDT = 2
const BUSY_TSS_16 = 3
const BUSY_TSS_32 = 11

const ES = 0
const CS = 1
const SS = 2
const DS = 3
const FS = 4
const GS = 5

/** Fields of segment registers follow each other as the registers are numbered: ES CS SS DS FS GS LDTR TR. */
function selectorOf(vmcs: Vmcs, segment: number): number {
  return vmcs.get32(Field.guestEsSelector + 2 * segment) & 0xffff
}
function rightsOf(vmcs: Vmcs, segment: number): number {
  return vmcs.get32(Field.guestEsRights + 2 * segment)
}
function limitOf(vmcs: Vmcs, segment: number): number {
  return vmcs.get32(Field.guestEsLimit + 2 * segment) >>> 0
}

/** All eight segment registers. */
export function checkSegments(vmcs: Vmcs, unrestricted: boolean): boolean {
  if (!checkTask(vmcs) || !checkLdt(vmcs)) return false
  if ((vmcs.get32(Field.guestRflags) & Flag.VM) !== 0) {
    return (
      checkVirtual8086(vmcs, ES) &&
      checkVirtual8086(vmcs, CS) &&
      checkVirtual8086(vmcs, SS) &&
      checkVirtual8086(vmcs, DS) &&
      checkVirtual8086(vmcs, FS) &&
      checkVirtual8086(vmcs, GS)
    )
  }
  return (
    checkCode(vmcs, unrestricted) &&
    checkStack(vmcs, unrestricted) &&
    checkData(vmcs, ES, unrestricted) &&
    checkData(vmcs, DS, unrestricted) &&
    checkData(vmcs, FS, unrestricted) &&
    checkData(vmcs, GS, unrestricted)
  )
}

/** In virtual-8086 mode a segment register is its selector, with 64 KiB of accessed data at privilege level 3. */
function checkVirtual8086(vmcs: Vmcs, segment: number): boolean {
  return (
    vmcs.get32(Field.guestEsBase + 2 * segment) === selectorOf(vmcs, segment) << 4 &&
    limitOf(vmcs, segment) === 0xffff &&
    rightsOf(vmcs, segment) === 0xf3
  )
}

/** What holds for every register in use: present, nothing reserved, `S` as told, a limit that its granularity can express. */
function checkCommon(vmcs: Vmcs, segment: number, codeOrData: number): boolean {
  const rights = rightsOf(vmcs, segment)
  if ((rights & Rights.codeOrData) !== codeOrData) return false
  if ((rights & Rights.present) === 0 || (rights & Rights.reserved) !== 0) return false
  const limit = limitOf(vmcs, segment)
  return (rights & Rights.granular) !== 0 ? (limit & 0xfff) === 0xfff : limit >>> 20 === 0
}

function isUsable(rights: number): boolean {
  return (rights & Rights.unusable) === 0
}

/** CS: accessed code; for an unrestricted guest also data, as real mode has it. The bit for unusable does not count. */
function checkCode(vmcs: Vmcs, unrestricted: boolean): boolean {
  const rights = rightsOf(vmcs, CS)
  const dpl = rights & Rights.dpl
  const stackDpl = rightsOf(vmcs, SS) & Rights.dpl
  switch (rights & Rights.type) {
    case READ_WRITE:
      if (!unrestricted || dpl !== 0) return false
      break
    case 9:
    case 11:
      if (dpl !== stackDpl) return false
      break
    case 13:
    case 15:
      if (dpl > stackDpl) return false
      break
    default:
      return false
  }
  return checkCommon(vmcs, CS, Rights.codeOrData)
}

/** SS: its DPL is the guest's privilege level, and counts of an unusable one too. */
function checkStack(vmcs: Vmcs, unrestricted: boolean): boolean {
  const rights = rightsOf(vmcs, SS)
  const dpl = (rights & Rights.dpl) >> DPL_SHIFT
  const rpl = selectorOf(vmcs, SS) & 3
  if (!unrestricted && (rpl !== (selectorOf(vmcs, CS) & 3) || dpl !== rpl)) return false
  const innermost = (rightsOf(vmcs, CS) & Rights.type) === READ_WRITE || (vmcs.get32(Field.guestCr0) & Cr0.PE) === 0
  if (innermost && dpl !== 0) return false
  if (!isUsable(rights)) return true
  const type = rights & Rights.type
  return (type === READ_WRITE || type === READ_WRITE_DOWN) && checkCommon(vmcs, SS, Rights.codeOrData)
}

/** DS, ES, FS, GS: accessed, and readable; not of a more privileged level than their selector asks for. */
function checkData(vmcs: Vmcs, segment: number, unrestricted: boolean): boolean {
  const rights = rightsOf(vmcs, segment)
  if (!isUsable(rights)) return true
  const type = rights & Rights.type
  if ((type & ACCESSED) === 0 || (type & (CODE | READABLE)) === CODE) return false
  const rpl = selectorOf(vmcs, segment) & 3
  if (!unrestricted && type <= 11 && (rights & Rights.dpl) >> DPL_SHIFT < rpl) return false
  return checkCommon(vmcs, segment, Rights.codeOrData)
}

const TABLE_INDICATOR = 4

/** TR: a busy TSS, always usable. */
function checkTask(vmcs: Vmcs): boolean {
  const rights = rightsOf(vmcs, TR)
  const type = rights & Rights.type
  if (!isUsable(rights) || (type !== BUSY_TSS_16 && type !== BUSY_TSS_32)) return false
  return (selectorOf(vmcs, TR) & TABLE_INDICATOR) === 0 && checkCommon(vmcs, TR, 0)
}

function checkLdt(vmcs: Vmcs): boolean {
  const rights = rightsOf(vmcs, LDTR)
  if (!isUsable(rights)) return true
  if ((rights & Rights.type) !== LDT || (selectorOf(vmcs, LDTR) & TABLE_INDICATOR) !== 0) return false
  return checkCommon(vmcs, LDTR, 0)
}
