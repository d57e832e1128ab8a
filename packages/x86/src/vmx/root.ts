/** VMX root operation for a VMM that is a program outside of the simulated machine: the instructions as functions. */
import { VmexitError } from '@vmexit/core'
import type { Core } from '../system/core.ts'
import { exitGuest } from './exit.ts'
import { ExitReason, exitReasonName } from './exit-reasons.ts'
import { encodingOf, Field, type FieldEncoding, type FieldName, kindOf } from './fields.ts'
import { Activity } from './guest-checks.ts'
import {
  flushGuestState,
  interruptibilityOf,
  loadGuestRegisters,
  saveGuestRegisters,
  savePdptes,
} from './guest-state.ts'
import {
  INVALID,
  invEpt,
  invVpid,
  type VmxOutcome,
  vmClear,
  vmEnter,
  vmPtrld,
  vmRead,
  vmWrite,
  vmxOff,
  vmxOn,
} from './operations.ts'
import type { ExitRecord, VmxUnit } from './unit.ts'

/**
 * What stands in VMX root operation in place of ring-0 code. It prepares VMCSs with {@link write}, enters a guest with {@link enter}, runs the CPU,
 * and reads what the exit tells; `Cpu.run` returns `vm-exit` then. It does nothing that such code could not do, but no host state is
 * loaded at exits: it has none in the CPU. General registers, CR2, DR0–DR3, x87 and SSE registers are the guest's at exits, as ever.
 *
 * An instruction that fails throws a `VmexitError` `vmx-instruction` with the error's number.
 */
export class VmxRoot implements Disposable {
  readonly #unit: VmxUnit
  #launched = new Set<number>()

  /** Takes VMX root operation, with the VMXON region at `region`. @throws VmexitError `vmx-instruction`, `vmx-taken`. */
  constructor(unit: VmxUnit, region: number) {
    if (unit.operation !== 'off') {
      throw new VmexitError('vmx-taken', {
        problem: 'the CPU is in VMX operation already',
        remedy: 'end it first: one VMM has the CPU at a time',
      })
    }
    this.#unit = unit
    this.#demand('VMXON', vmxOn(unit, region))
    unit.external = true
  }

  /**
   * Has `act` called when the guest has left, in the middle of `Cpu.run`: what does the work there and enters the guest again spares the
   * run its end. If the guest is not entered, the run ends with `vm-exit`.
   *
   * With `instruction`, it is one that has left, in the middle of generated code, which goes on if RIP is put behind it. The instruction
   * uses up the run's budget then; `Cpu.disown` takes it out of what the CPU has retired. (To end the run took as long as all
   * that a VMM does about an access to a port.)
   */
  onExit(act: ((instruction: boolean) => void) | undefined): void {
    this.#unit.onExit = act
  }

  /** VMCLEAR of the region at `address`. */
  clear(address: number): void {
    this.#demand('VMCLEAR', vmClear(this.#unit, address))
    this.#launched.delete(address)
  }
  /** VMPTRLD: the region at `address` is current from now on. */
  load(address: number): void {
    this.#demand('VMPTRLD', vmPtrld(this.#unit, address))
  }
  /** VMREAD of the current VMCS, by name or encoding (to look a name up takes 30 ns), as a number: exact up to 2^53. */
  read(field: FieldName | FieldEncoding): number {
    const { vmcs } = this.#unit
    if (vmcs.address < 0) this.#demand('VMREAD', INVALID)
    const encoding = encodingOf(field)
    if (this.#unit.unsaved) {
      const { state, events } = this.#unit.parts.core
      // What is asked for at most exits, without all the rest.
      if (encoding === Field.guestRip) return state.ip
      if (encoding === Field.guestRflags) return state.eflags >>> 0
      if (encoding === Field.guestActivity) return events.halted ? Activity.hlt : Activity.active
      if (encoding === Field.guestInterruptibility) return interruptibilityOf(events)
      if (kindOf(encoding) === 'guest') flushGuestState(this.#unit)
    }
    vmcs.open()
    return vmcs.getNumber(encoding)
  }
  /** The same with all 64 bits. */
  read64(field: FieldName): bigint {
    const value = vmRead(this.#unit, Field[field])
    if (typeof value === 'number') this.#demand('VMREAD', value)
    return value as bigint
  }
  /** VMWRITE; a number is taken as unsigned. */
  write(field: FieldName | FieldEncoding, value: number | bigint): void {
    const { unsaved, parts } = this.#unit
    // What is written at most exits: the CPU holds it, as the rest of the guest's state.
    if (unsaved && field === Field.guestRip && typeof value === 'number') {
      parts.core.state.ip = value >>> 0
      return
    }
    const bits = typeof value === 'number' && value < 0 ? value >>> 0 : value
    this.#demand('VMWRITE', vmWrite(this.#unit, encodingOf(field), bits))
  }
  /**
   * VMLAUNCH of a VMCS that was cleared, VMRESUME afterwards. True if the CPU is in the guest now; false if the entry has ended in an exit,
   * for a guest state that cannot be, or for what came of the event injected: the exit fields say which.
   */
  enter(): boolean {
    const unit = this.#unit
    const { address } = unit.vmcs
    const isLaunched = this.#launched.has(address)
    this.#demand(isLaunched ? 'VMRESUME' : 'VMLAUNCH', vmEnter(unit, isLaunched ? 'resume' : 'launch'))
    if (isLaunched) return unit.nonRoot
    unit.vmcs.open()
    if (unit.vmcs.launched) this.#launched.add(address)
    return unit.nonRoot
  }
  /** INVEPT: `pointer` for one context, nothing for all. */
  invept(pointer?: number): void {
    this.#demand('INVEPT', invEpt(this.#unit, pointer === undefined ? 2 : 1, BigInt(pointer ?? 0)))
  }
  /** INVVPID: one address of a VPID, all of it, or all VPIDs. */
  invvpid(vpid?: number, linear?: number): void {
    const type = vpid === undefined ? 2 : linear === undefined ? 1 : 0
    this.#demand('INVVPID', invVpid(this.#unit, type, BigInt(vpid ?? 0), BigInt(linear ?? 0)))
  }

  /** The guest is still entered: a run has ended by its budget. */
  get inGuest(): boolean {
    return this.#unit.nonRoot
  }
  /** A guest that is still entered leaves, as by an external interrupt of the machine: VMMs of real machines have a timer for it. */
  interrupt(): void {
    if (this.#unit.nonRoot) exitGuest(this.#unit, ExitReason.externalInterrupt)
  }
  /** VMREAD of the whole guest-state area, into the registers of another CPU. */
  readGuest(into: Core): void {
    flushGuestState(this.#unit)
    this.#unit.vmcs.open()
    loadGuestRegisters(this.#unit.vmcs, into)
  }
  /** VMWRITE of the whole guest-state area, from the registers of another CPU. */
  writeGuest(from: Core): void {
    const unit = this.#unit
    unit.unsaved = false
    unit.vmcs.open()
    saveGuestRegisters(unit.vmcs, from)
    unit.vmcs.close()
    unit.unchanged = false
  }

  /** VMWRITE of the four PAE pointers, low and high half each. */
  writePdptes(pdptes: Uint32Array): void {
    const { vmcs } = this.#unit
    flushGuestState(this.#unit)
    vmcs.open()
    savePdptes(vmcs, pdptes)
    vmcs.close()
    this.#unit.unchanged = false
  }

  /** VMREAD of what the last exit has told, all of it. (One by one they took a quarter of an exit's time.) The object is the same each time. */
  get exit(): Readonly<ExitRecord> {
    const unit = this.#unit
    if (!unit.recorded) this.#record()
    return unit.lastExit
  }
  #record(): void {
    const { lastExit } = this.#unit
    lastExit.reason = this.read(Field.exitReason)
    lastExit.qualification = this.read(Field.exitQualification)
    lastExit.interruption = this.read(Field.exitInterruption)
    lastExit.errorCode = this.read(Field.exitErrorCode)
    lastExit.instructionLength = this.read(Field.exitInstructionLength)
    lastExit.linear = this.read(Field.guestLinearAddress)
    lastExit.physical = this.read(Field.guestPhysicalAddress)
    lastExit.vectoring = this.read(Field.idtVectoring)
    lastExit.vectoringErrorCode = this.read(Field.idtVectoringErrorCode)
    this.#unit.recorded = true
  }
  /** The basic reason of the last exit, a number of {@link ExitReason}. */
  get exitReason(): number {
    return this.exit.reason & 0xffff
  }
  /** The last entry failed. */
  get entryFailed(): boolean {
    return this.exit.reason >= 0x8000_0000
  }
  /** Exits so far by name, those that happened. */
  get exits(): Readonly<Record<string, number>> {
    const counted: Record<string, number> = {}
    for (const [reason, count] of this.#unit.exits.entries())
      if (count > 0) counted[exitReasonName(reason) ?? String(reason)] = count
    return counted
  }

  /** VMXOFF. */
  [Symbol.dispose](): void {
    if (this.#unit.operation !== 'off') vmxOff(this.#unit)
  }

  #demand(instruction: string, outcome: VmxOutcome): void {
    if (outcome === 0) return
    const why = outcome === INVALID ? 'no VMCS is current, or the region is none' : `VM-instruction error ${outcome}`
    throw new VmexitError('vmx-instruction', {
      problem: `${instruction} fails: ${why}`,
      remedy: 'see the table of VM-instruction errors, SDM vol. 3C, 30.4',
    })
  }
}
