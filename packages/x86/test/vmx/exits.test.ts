import { describe, expect, it } from 'vitest'
import { Gpr } from '../../src/state/state.ts'
import { Primary, Secondary } from '../../src/vmx/controls.ts'
import { ExitReason } from '../../src/vmx/exit-reasons.ts'
import { createGuest, EPT, GUEST } from './guest.ts'

describe.each(['reference', 'interpreter'] as const)('a guest under %s', (engine) => {
  it('leaves by CPUID, and goes on behind it', () => {
    const guest = createGuest({ engine })
    // mov eax,1; cpuid; inc eax; hlt
    guest.put(0x1000, [0x66, 0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0x66, 0x40, 0xf4])
    expect(guest.exit()).toBe(ExitReason.cpuid)
    expect(guest.root.read('guestRip')).toBe(0x1006)
    expect(guest.root.read('exitInstructionLength')).toBe(2)
    expect(guest.cpu.retired).toBe(1)
    guest.cpu.state.setReg32(Gpr.ax, 41)
    guest.skip()
    expect(guest.exit()).toBe(ExitReason.hlt)
    expect(guest.cpu.state.reg32(Gpr.ax)).toBe(42)
    expect(guest.cpu.retired).toBe(2)
    expect(guest.root.exits).toEqual({ cpuid: 1, hlt: 1 })
  })

  it('tells of ports what a VMM needs', () => {
    const guest = createGuest({ engine })
    // out 0x80,al; mov dx,0x3f8; in ax,dx; mov cx,3; rep outsb
    guest.put(0x1000, [0xe6, 0x80, 0xba, 0xf8, 3, 0xed, 0xb9, 3, 0, 0xf3, 0x6e])
    expect(guest.exit()).toBe(ExitReason.io)
    expect(guest.root.read('exitQualification')).toBe((0x80 << 16) | 0x40)
    guest.skip()
    expect(guest.exit()).toBe(ExitReason.io)
    expect(guest.root.read('exitQualification')).toBe((0x3f8 << 16) | 8 | 1)
    guest.skip()
    expect(guest.exit()).toBe(ExitReason.io)
    expect(guest.root.read('exitQualification')).toBe((0x3f8 << 16) | 0x20 | 0x10)
  })

  it('leaves where its memory ends, and goes on when it is there', () => {
    const guest = createGuest({ engine })
    // Take page 5 out; mov ax,[0x5004]; hlt
    const entry = EPT + 0x3000 + 5 * 8
    guest.memory.write64(entry, 0, 0)
    guest.memory.write32(GUEST + 0x5004, 0x1234)
    guest.put(0x1000, [0xa1, 4, 0x50, 0xf4])
    expect(guest.exit()).toBe(ExitReason.eptViolation)
    expect(guest.root.read('guestPhysicalAddress')).toBe(0x5004)
    expect(guest.root.read('guestLinearAddress')).toBe(0x5004)
    expect(guest.root.read('exitQualification')).toBe(0x181)
    expect(guest.root.read('guestRip')).toBe(0x1000)
    guest.memory.write64(entry, (GUEST + 0x5000) | (6 << 3) | 7, 0)
    expect(guest.exit()).toBe(ExitReason.hlt)
    expect(guest.cpu.state.reg16(Gpr.ax)).toBe(0x1234)
  })

  it('takes an injected interrupt through its own table', () => {
    const guest = createGuest({ engine })
    // IVT entry 0x20 at 0x80: 0000:2000. The handler: hlt.
    guest.put(0x80, [0, 0x20, 0, 0])
    guest.put(0x2000, [0xf4])
    guest.put(0x1000, [0x90, 0x90, 0xf4])
    guest.root.write('guestRflags', 0x202)
    guest.root.write('entryInterruption', 0x8000_0020)
    expect(guest.exit()).toBe(ExitReason.hlt)
    expect(guest.root.read('guestRip')).toBe(0x2000)
    expect(guest.root.read('guestRsp')).toBe(0x7ffa)
    expect(guest.root.read('entryInterruption')).toBe(0x20)
  })

  it('leaves when it can take an interrupt', () => {
    const guest = createGuest({ engine })
    guest.allow('primaryControls', Primary.interruptWindowExiting)
    // sti; nop; nop; hlt
    guest.put(0x1000, [0xfb, 0x90, 0x90, 0xf4])
    expect(guest.exit()).toBe(ExitReason.interruptWindow)
    expect(guest.root.read('guestRip')).toBe(0x1002)
  })

  it('shows control bits of the VMM by their shadows', () => {
    const guest = createGuest({ engine })
    guest.root.write('cr0Mask', 0x20)
    // mov eax,cr0; mov ebx,eax; or al,8; mov cr0,eax; or al,0x20; mov cr0,eax
    guest.put(0x1000, [0x0f, 0x20, 0xc0, 0x66, 0x89, 0xc3, 0x0c, 8, 0x0f, 0x22, 0xc0, 0x0c, 0x20, 0x0f, 0x22, 0xc0])
    expect(guest.exit()).toBe(ExitReason.crAccess)
    expect(guest.cpu.state.reg32(Gpr.bx) & 0x20).toBe(0)
    expect(guest.root.read('guestRip')).toBe(0x100d)
    expect(guest.root.read('exitQualification')).toBe(0)
    expect(guest.root.read('guestCr0') & 0x28).toBe(0x28)
  })

  it('steps under the monitor trap flag', () => {
    const guest = createGuest({ engine })
    guest.allow('primaryControls', Primary.monitorTrapFlag)
    guest.put(0x1000, [0x90, 0x90, 0x90])
    for (const ip of [0x1001, 0x1002, 0x1003]) {
      expect(guest.exit()).toBe(ExitReason.monitorTrapFlag)
      expect(guest.root.read('guestRip')).toBe(ip)
    }
  })

  it('leaves with a triple fault where nothing can be delivered', () => {
    const guest = createGuest({ engine })
    guest.root.write('guestIdtrLimit', 0)
    guest.put(0x1000, [0xcc])
    expect(guest.exit()).toBe(ExitReason.tripleFault)
    expect(guest.root.read('guestRip')).toBe(0x1000)
  })

  it('is refused where its state cannot be', () => {
    const guest = createGuest({ engine })
    guest.root.write('guestRflags', 0)
    expect(guest.root.enter()).toBe(false)
    expect(guest.root.entryFailed).toBe(true)
    expect(guest.root.exitReason).toBe(ExitReason.invalidGuestState)
    guest.root.write('guestRflags', 2)
    guest.allow('secondaryControls', Secondary.ept, false)
    expect(() => guest.root.enter()).toThrow(/VM-instruction error 7/)
  })
})

describe('a saved CPU', () => {
  it('goes on in the guest, behind the second stage', () => {
    const guest = createGuest({ engine: 'reference' })
    // add ax,[0x5004] by turns with jmp back; the budget ends in it
    guest.memory.write32(GUEST + 0x5004, 1)
    guest.put(0x1000, [0x03, 0x06, 4, 0x50, 0xeb, 0xfa])
    expect(guest.root.enter()).toBe(true)
    expect(guest.cpu.run(100).reason).toBe('budget')
    const saved = guest.cpu.save()
    guest.cpu.run(100)
    expect(guest.cpu.state.reg16(Gpr.ax)).toBe(100)
    guest.cpu.restore(saved)
    expect(guest.cpu.state.reg16(Gpr.ax)).toBe(50)
    expect(guest.root.inGuest).toBe(true)
    guest.cpu.run(100)
    expect(guest.cpu.state.reg16(Gpr.ax)).toBe(100)
    expect(guest.cpu.paging.mmu.counts.secondStageReferences).toBe(8)
  })
})
