/** What is done about each exit. */

import type { Capabilities } from '@vmexit/core'
import type { VcpuMmu } from '@vmexit/vmm'
import { type Cpu, ExitReason, Gpr, Layout, Vector, VMX_INSTRUCTIONS } from '@vmexit/x86'
import type { VtxHost } from './host.ts'

/** The virtual CPU that has left the guest, and what can be done for it. */
export interface ExitedVcpu {
  readonly parts: { readonly host: VtxHost; readonly emulator: Cpu; readonly ports: Capabilities['ports'] }
  readonly mmu: VcpuMmu
  /** CR3 as the guest has it. */
  readonly cr3: number
  loadCr3(value: number): boolean
  /** The instruction is done. */
  skip(): void
  /** The instruction is the emulator's to execute. */
  emulate(): void
  /** The same of one that has met memory at `linear` which the hardware does not reach. */
  access(linear: number, write: boolean): void
  raise(vector: number, errorCode?: number): void
  /** Drops what the hardware has cached. */
  invalidate(linear?: number): void
  /** NMIs are blocked as they were: the IRET that has let them in is to be executed again. */
  blockNmis(): void
  halt(): void
  shutDown(): void
}

type Handler = (vcpu: ExitedVcpu) => void

/** Of a control-register access: MOV from it. */
const FROM = 1 << 4
const WIDTHS = [1, 2, 1, 4] as const
const IN = 1 << 3
const STRING = 1 << 4
/** Of an EPT violation's qualification; the first is also of a page fault's error code. */
const WRITE = 2
const FETCH = 4
/** It was an access to what a linear address leads to, not to the tables on the way. */
const FINAL = 1 << 8
/** Of an EPT violation's qualification and of interruption information: an IRET has met it that had already let NMIs in again. */
const NMI_UNBLOCKING = 1 << 12

const io: Handler = (vcpu) => {
  const { host, ports } = vcpu.parts
  const qualification = host.root.exit.qualification
  if ((qualification & STRING) !== 0) {
    vcpu.emulate()
    return
  }
  const width = WIDTHS[qualification & 3]!
  const port = qualification >>> 16
  const { state } = host.cpu
  const value = state.reg32(Gpr.ax)
  const mask = width === 4 ? -1 : (1 << (width * 8)) - 1
  // The device sees the time at which the instruction begins, as it does on a bare machine.
  if ((qualification & IN) === 0) ports.write(port, width, (value & mask) >>> 0)
  else state.setReg32(Gpr.ax, (value & ~mask) | (ports.read(port, width) & mask))
  vcpu.skip()
}

const cpuid: Handler = (vcpu) => {
  const { host, emulator } = vcpu.parts
  const { state } = host.cpu
  const out = new Int32Array(4)
  emulator.model.cpuid(emulator, state.reg32(Gpr.ax) >>> 0, state.reg32(Gpr.cx) >>> 0, out)
  for (const [n, register] of [Gpr.ax, Gpr.bx, Gpr.cx, Gpr.dx].entries()) state.setReg32(register, out[n]!)
  vcpu.skip()
}

const rdmsr: Handler = (vcpu) => {
  const { host, emulator } = vcpu.parts
  const { state } = host.cpu
  const value = emulator.model.readMsr(emulator, state.reg32(Gpr.cx) >>> 0)
  if (value === undefined) {
    vcpu.raise(Vector.GP, 0)
    return
  }
  state.setReg32(Gpr.ax, Number(BigInt.asIntN(32, value)))
  state.setReg32(Gpr.dx, Number(BigInt.asIntN(32, value >> 32n)))
  vcpu.skip()
}

const wrmsr: Handler = (vcpu) => {
  const { host, emulator } = vcpu.parts
  const { state } = host.cpu
  const value = (BigInt(state.reg32(Gpr.dx) >>> 0) << 32n) | BigInt(state.reg32(Gpr.ax) >>> 0)
  if (emulator.model.writeMsr(emulator, state.reg32(Gpr.cx) >>> 0, value)) vcpu.skip()
  else vcpu.raise(Vector.GP, 0)
}

const hlt: Handler = (vcpu) => {
  vcpu.skip()
  vcpu.halt()
}

const violation: Handler = (vcpu) => {
  const { root } = vcpu.parts.host
  const qualification = root.exit.qualification
  if ((qualification & NMI_UNBLOCKING) !== 0) vcpu.blockNmis()
  const write = (qualification & WRITE) !== 0
  if (vcpu.mmu.onViolation(root.exit.physical, write)) return
  if ((qualification & (FINAL | FETCH)) === FINAL) vcpu.access(root.exit.linear, write)
  else vcpu.emulate()
}

/** Only page faults are asked for, and only where the MMU strategy wants to see them. */
const pageFault: Handler = (vcpu) => {
  const { root, cpu } = vcpu.parts.host
  const linear = root.exit.qualification
  const answer = vcpu.mmu.onPageFault(linear, root.exit.errorCode)
  if (typeof answer !== 'number' && (root.exit.interruption & NMI_UNBLOCKING) !== 0) vcpu.blockNmis()
  if (answer === 'emulate') vcpu.access(linear, (root.exit.errorCode & WRITE) !== 0)
  else if (answer !== 'again') {
    cpu.state.setNumber(Layout.cr2, linear)
    vcpu.raise(Vector.PF, answer)
  }
}

const invlpg: Handler = (vcpu) => {
  vcpu.mmu.onInvlpg(vcpu.parts.host.root.exit.qualification)
  vcpu.skip()
}

/** MOV between CR3 and a register is done here, the rest on the virtual state. */
const controlRegister: Handler = (vcpu) => {
  const { root, cpu } = vcpu.parts.host
  const qualification = root.exit.qualification
  const register = (qualification >> 8) & 15
  const access = qualification & 0x3f
  if (access === 3 && vcpu.loadCr3(cpu.state.reg32(register) >>> 0)) vcpu.skip()
  else if (access === (3 | FROM)) {
    cpu.state.setReg32(register, vcpu.cr3)
    vcpu.skip()
  } else emulateAndFlush(vcpu)
}

/** What may load CR3 or change how tables are read: the emulator's TLB is another than the hardware's. */
const emulateAndFlush: Handler = (vcpu) => {
  vcpu.emulate()
  vcpu.invalidate()
}

const undefinedInstruction: Handler = (vcpu) => vcpu.raise(Vector.UD)
const skip: Handler = (vcpu) => vcpu.skip()
/** The exit was all that was wanted. */
const nothing: Handler = () => {}

/** By basic reason. */
export const EXITS: Readonly<Record<number, Handler>> = {
  [ExitReason.exceptionOrNmi]: pageFault,
  [ExitReason.externalInterrupt]: nothing,
  [ExitReason.interruptWindow]: nothing,
  [ExitReason.nmiWindow]: nothing,
  [ExitReason.tripleFault]: (vcpu) => vcpu.shutDown(),
  [ExitReason.taskSwitch]: emulateAndFlush,
  [ExitReason.cpuid]: cpuid,
  [ExitReason.hlt]: hlt,
  [ExitReason.invd]: skip,
  [ExitReason.crAccess]: controlRegister,
  [ExitReason.invlpg]: invlpg,
  [ExitReason.io]: io,
  [ExitReason.rdmsr]: rdmsr,
  [ExitReason.wrmsr]: wrmsr,
  [ExitReason.eptViolation]: violation,
  ...Object.fromEntries(VMX_INSTRUCTIONS.map((name) => [ExitReason[name], undefinedInstruction])),
}
