import { guest, raw } from '@vmexit/boot'
import { createMachine, createVm, definePart, type InterruptController, type Part } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { nestedPaging } from '@vmexit/nested-paging'
import { shadowPaging } from '@vmexit/shadow-paging'
import { HostPages, vmMemory } from '@vmexit/vmm'
import { x86 } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { vtx } from './part.ts'

/** A wire to the CPU and one vector. */
const wire = { pending: false, changed: (_: boolean): void => {} }
function oneInterrupt(): Part {
  const controller: InterruptController = {
    inputs: 0,
    line: () => ({ set() {} }),
    source: () => ({
      get pending() {
        return wire.pending
      },
      acknowledge: () => {
        wire.pending = false
        return 0x20
      },
      watch: (changed) => {
        wire.changed = changed
        return { [Symbol.dispose]: () => {} }
      },
    }),
  }
  return definePart({ name: 'wire', gives: ['interrupts'], build: () => ({ interrupts: controller }) })
}

interface TestVm {
  readonly image: readonly number[]
  readonly mode: 'flat' | 'real'
  readonly mmu?: 'nested' | 'shadow'
  readonly engine?: 'reference' | 'interpreter'
  readonly devices?: readonly Part[]
  /** MiB of the VM; of the machine they are three times as many, and more. */
  readonly memory?: number
}

async function compose({ engine = 'interpreter', memory = 2, ...vm }: TestVm) {
  const machine = await createMachine({ memory: ram(`${3 * memory + 10} MiB`), cpu: x86({ vmx: true, engine }) })
  return { machine, vm: await add(machine, { memory, ...vm }) }
}

type TestMachine = Awaited<
  ReturnType<typeof createMachine<{ memory: ReturnType<typeof ram>; cpu: ReturnType<typeof vmxCpu> }>>
>
const vmxCpu = () => x86({ vmx: true })

async function add(machine: TestMachine, { image, mode, mmu = 'nested', devices = [], memory = 2 }: TestVm) {
  let text = ''
  const vm = await createVm(machine, {
    memory: vmMemory(`${memory} MiB`),
    execution: vtx(),
    mmu: mmu === 'nested' ? nestedPaging() : shadowPaging(),
    devices,
    guest: guest(raw({ image: Uint8Array.from(image), address: 0x1_0000, mode })),
  } as never)
  const system = vm as unknown as Omit<TestMachine, 'vms' | 'host'>
  const write = (_offset: number, _width: number, value: number): void => void (text += String.fromCharCode(value))
  system.get('ports').claim('console', 0xe9, { size: 1, read: () => 0x41, write })
  // A button for NMIs, that takes the stack's page from the guest: it has to be mapped anew.
  const nmi = (): void => {
    system.get('guestMemory').watch(0x1f, {})
    system.get('cpu').nmi!()
  }
  system.get('ports').claim('button', 0xe8, { size: 1, read: () => 0, write: nmi })
  return {
    run: (instructions = 10_000) => system.runSlice({ instructions }),
    text: () => text,
    memory: system.get('guestMemory'),
    dma: (address: number, bytes: Uint8Array) => system.get('memory').write(address, bytes),
    nmi,
    count: (name: string) => system.get('counters').snapshot()[name] ?? 0,
    save: () => system.save(),
    restore: (state: ReturnType<typeof system.save>) => system.restore(state),
    reset: () => system.reset(),
    end: () => system[Symbol.asyncDispose](),
  }
}

/**
 * Presses the button. The handler prints `=`, or `!` where it has interrupted itself; for the first two times it presses the button, and prints
 * `-` before it returns. Then `.`, and HLT again and again.
 */
const nmiGuest16: readonly number[] = [
  // xor ax,ax; mov ds,ax; mov ss,ax; mov word [8],handler; mov word [10],1000h; sp = f000h, in page 0; image at 1000:0
  ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xc7, 6, 8, 0, 0x30, 0, 0xc7, 6, 10, 0, 0, 0x10, 0xbc, 0, 0xf0],
  // out e8,al; W: mov al,'.'; out e9,al; hlt; jmp W
  ...[0xe6, 0xe8, 0xb0, 0x2e, 0xe6, 0xe9, 0xf4, 0xeb, 0xf9],
  ...Array<number>(0x30 - 30).fill(0x90),
  // mov al,'='; cmp sp,f000h-6; je S; mov al,'!'; S: out e9,al
  ...[0xb0, 0x3d, 0x81, 0xfc, 0xfa, 0xef, 0x74, 2, 0xb0, 0x21, 0xe6, 0xe9],
  // inc word [600h]; cmp word [600h],3; jae E; out e8,al; E: mov al,'-'; out e9,al; iret
  ...[0xff, 6, 0, 6, 0x83, 0x3e, 0, 6, 3, 0x73, 2, 0xe6, 0xe8, 0xb0, 0x2d, 0xe6, 0xe9, 0xcf],
]
/** The same in protected mode; its IRET finds the stack unmapped. */
const nmiGuest32: readonly number[] = [
  // mov esp,20000h; lgdt [10080h]; lidt [10088h]; jmp 8:10000h+1ah
  ...[0xbc, 0, 0, 2, 0, 0x0f, 1, 0x15, 0x80, 0, 1, 0, 0x0f, 1, 0x1d, 0x88, 0, 1, 0, 0xea, 0x1a, 0, 1, 0, 8, 0],
  // out e8,al; W: mov al,'.'; out e9,al; hlt; jmp W
  ...[0xe6, 0xe8, 0xb0, 0x2e, 0xe6, 0xe9, 0xf4, 0xeb, 0xf9],
  ...Array<number>(0x30 - 0x23).fill(0x90),
  // mov al,'='; cmp esp,1fff4h; je S; mov al,'!'; S: out e9,al
  ...[0xb0, 0x3d, 0x81, 0xfc, 0xf4, 0xff, 1, 0, 0x74, 2, 0xb0, 0x21, 0xe6, 0xe9],
  // inc dword [600h]; cmp dword [600h],3; jae E; out e8,al; E: mov al,'-'; out e9,al; iret
  ...[0xff, 5, 0, 6, 0, 0, 0x83, 0x3d, 0, 6, 0, 0, 3, 0x73, 2, 0xe6, 0xe8, 0xb0, 0x2d, 0xe6, 0xe9, 0xcf],
  ...Array<number>(0x80 - 0x54).fill(0x90),
  // Limits and bases of the GDT, at 10090h, and of the IDT, at 100a0h; the segments; vectors 0 to 2
  ...[0x0f, 0, 0x90, 0, 1, 0, 0, 0, 0x17, 0, 0xa0, 0, 1, 0, 0, 0],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0],
  ...Array<number>(16).fill(0),
  ...[0x30, 0, 8, 0, 0, 0x8e, 1, 0],
]

const both = ['nested', 'shadow'] as const

describe.each(both)('a guest on VT-x with %s paging', (mmu) => {
  it.each(['reference', 'interpreter'] as const)('leaves by what it must, and no more, under %s', async (engine) => {
    // mov ecx,10; L: cpuid destroys ecx: push ecx; cpuid; pop ecx; in al,e9; out e9,al; loop L; hlt
    const image = [0xb9, 10, 0, 0, 0, 0x51, 0x0f, 0xa2, 0x59, 0xe4, 0xe9, 0xe6, 0xe9, 0xe2, 0xf6, 0xf4]
    const { vm } = await compose({ image: [0xbc, 0, 0, 2, 0, ...image], mode: 'flat', mmu, engine })
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('AAAAAAAAAA')
    expect(vm.count('vm-exits-cpuid')).toBe(10)
    expect(vm.count('vm-exits-io')).toBe(20)
    expect(vm.count('vm-exits-hlt')).toBe(1)
    expect(vm.count('instructions')).toBe(2 + 10 * 6 + 1)
  })

  it('raises what a machine without that register raises', async () => {
    // An IDT is not there: rdmsr of 0x12345 ends in a triple fault, not in an error of the host.
    const { vm } = await compose({ image: [0xb9, 0x45, 0x23, 1, 0, 0x0f, 0x32, 0xf4], mode: 'flat', mmu })
    expect(vm.run().reason).toBe('shutdown')
    expect(vm.count('vm-exits-rdmsr')).toBe(1)
    expect(vm.count('vm-exits-triple-fault')).toBe(1)
  })

  it('has bits of CR0 that no VM entry loads: cache disable, not write-through', async () => {
    // L: mov eax,cr0; shr eax,29; add al,'0'; out e9,al; once: mov eax,cr0; or eax,40000000h; mov cr0,eax; again; hlt
    const show = [0x0f, 0x20, 0xc0, 0xc1, 0xe8, 29, 0x04, 0x30, 0xe6, 0xe9]
    const disable = [0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x40, 0x0f, 0x22, 0xc0]
    const { vm } = await compose({ image: [...show, ...disable, ...show, 0xf4], mode: 'flat', mmu })
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('02')
  })

  it('runs in real mode, which only nested paging leaves to the CPU', async () => {
    // mov al,'r'; out e9,al; hlt
    const { vm } = await compose({ image: [0xb0, 0x72, 0xe6, 0xe9, 0xf4], mode: 'real', mmu })
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('r')
    expect(vm.count('emulated')).toBe(mmu === 'nested' ? 0 : 3)
  })

  it('takes an interrupt when it can', async () => {
    // Real mode, IVT[0x20] = 0000:0500, where `mov al,'i'; out e9,al; iret` is put; sti; nop; nop; hlt; cli; hlt
    const put = [0xc7, 0x06, 0x80, 0, 0, 5, 0xc7, 0x06, 0x82, 0, 0, 0]
    const handler = [0xb0, 0x69, 0xe6, 0xe9, 0xcf]
    const store = handler.flatMap((byte, n) => [0xc6, 0x06, n, 5, byte])
    const image = [
      0x31,
      0xc0,
      0x8e,
      0xd8,
      0x8e,
      0xd0,
      0xbc,
      0,
      0x40,
      ...put,
      ...store,
      0xfb,
      0x90,
      0x90,
      0xf4,
      0xfa,
      0xf4,
    ]
    const { vm } = await compose({ image, mode: 'real', mmu, devices: [oneInterrupt()] })
    wire.pending = true
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('i')
    if (mmu === 'nested') expect(vm.count('vm-exits-interrupt-window')).toBe(1)
    wire.pending = false
  })

  it('is woken by an interrupt', async () => {
    // ds = 0; IVT[0x20] = 0000:0500, where `mov al,'i'; out e9,al; iret` is put; W: sti; hlt; jmp W
    const put = [0x31, 0xc0, 0x8e, 0xd8, 0xc7, 0x06, 0x80, 0, 0, 5, 0xc7, 0x06, 0x82, 0, 0, 0]
    const store = [0xb0, 0x69, 0xe6, 0xe9, 0xcf].flatMap((byte, n) => [0xc6, 0x06, n, 5, byte])
    const image = [...put, ...store, 0xfb, 0xf4, 0xeb, 0xfc]
    const { vm } = await compose({ image, mode: 'real', mmu, devices: [oneInterrupt()] })
    expect(vm.run().reason).toBe('idle')
    wire.pending = true
    wire.changed(true)
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('i')
    expect(vm.run().retired).toBe(0)
  })

  it.each(['real', 'flat'] as const)('handles one NMI at a time, until its IRET, in %s mode', async (mode) => {
    const { vm } = await compose({ image: mode === 'real' ? nmiGuest16 : nmiGuest32, mode, mmu })
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('=-=-=-.')
    if (mode === 'flat') expect(vm.count('vm-exits-nmi-window')).toBe(2)
    // Interrupts are disabled: of all that there is, an NMI alone ends HLT.
    expect(vm.run().retired).toBe(0)
    vm.nmi()
    vm.run()
    expect(vm.text()).toBe('=-=-=-.=-.')
  })

  it('goes on from a saved state as from itself', async () => {
    // mov esp,20000h; L: inc byte [300h]; mov al,[300h]; out e9,al; jmp L
    const image = [0xbc, 0, 0, 2, 0, 0xfe, 0x05, 0, 3, 0, 0, 0xa0, 0, 3, 0, 0, 0xe6, 0xe9, 0xeb, 0xf1]
    const { vm } = await compose({ image, mode: 'flat', mmu })
    vm.run(101)
    const saved = vm.save()
    vm.run(100)
    const straight = vm.text()
    vm.restore(saved)
    vm.run(100)
    expect(vm.text().slice(straight.length)).toBe(straight.slice(25))
  })

  it('writes to no page that a dirty log does not hear of', async () => {
    // L: inc dword [180000h]; inc dword [181000h]; jmp L
    const image = [0xff, 5, 0, 0, 0x18, 0, 0xff, 5, 0, 0x10, 0x18, 0, 0xeb, 0xf2]
    const { vm } = await compose({ image, mode: 'flat', mmu })
    vm.run(100)
    const [all, one] = [vm.memory.openDirtyLog(), vm.memory.openDirtyLog(0x18_1000, 0x1000)]
    for (let n = 0; n < 3; n++) {
      vm.run(100)
      expect([all.take(), one.take()]).toEqual([[0x180, 0x181], [0x181]])
    }
  })

  it('dies of a bus master, too, that stores where the machine has no page left', async () => {
    const { vm, machine } = await compose({ image: [0xb0, 0x61, 0xe6, 0xe9, 0xf4], mode: 'flat', mmu })
    expect(vm.run().reason).toBe('idle')
    const pages = HostPages.of(machine.get('guestMemory'))
    const others: number[] = []
    const takeAll = (): void => {
      for (;;) others.push(pages.allocate())
    }
    expect(takeAll).toThrow(/no free page/)
    expect(vm.dma(0x18_0000, Uint8Array.of(1))).toBe(false)
    for (let n = 0; n < 2; n++)
      expect(vm.run()).toMatchObject({ reason: 'exit', retired: 0, exit: { reason: 'machine-memory' } })
    expect(vm.memory.read8(0x1_0000)).toBe(0)
    for (const page of others) pages.free(page)
    vm.reset()
    expect(vm.run().reason).toBe('idle')
    expect(vm.text()).toBe('aa')
  })

  it('begins again after a reset', async () => {
    const { vm } = await compose({ image: [0xb0, 0x61, 0xe6, 0xe9, 0xf4], mode: 'flat', mmu })
    vm.run()
    vm.reset()
    vm.run()
    expect(vm.text()).toBe('aa')
  })
})

describe('two VMs on one machine', () => {
  it('have the CPU by turns and nothing of each other', async () => {
    // mov bl,'x'; L: mov al,bl; out e9,al; jmp L
    const letter = (text: string): number[] => [0xb3, text.charCodeAt(0), 0x88, 0xd8, 0xe6, 0xe9, 0xeb, 0xfa]
    const { machine, vm: a } = await compose({ image: letter('a'), mode: 'flat' })
    const b = await add(machine as never, { image: letter('b'), mode: 'flat', mmu: 'shadow' })
    for (let turn = 0; turn < 5; turn++) {
      a.run(31)
      b.run(61)
    }
    expect(a.text()).toMatch(/^a{51,52}$/)
    expect(b.text()).toMatch(/^b{101,102}$/)
    expect(a.count('instructions')).toBe(155)
    expect(b.count('instructions')).toBe(305)
  })
})

describe.each(both)('a VM that begins while another is in the guest, with %s paging', (mmu) => {
  it('leaves the other as it is', async () => {
    // L: mov eax,cr0; and al,1; add al,'0'; out e9,al; jmp L
    const image = [0x0f, 0x20, 0xc0, 0x24, 1, 0x04, 0x30, 0xe6, 0xe9, 0xeb, 0xf5]
    const { machine, vm: a } = await compose({ image, mode: 'flat', mmu })
    a.run(51)
    const b = await add(machine as never, { image: [0xf4], mode: 'flat', mmu })
    expect(b.run().reason).toBe('idle')
    a.run(49)
    expect(a.text()).toBe('1'.repeat(20))
    expect(a.count('emulated')).toBe(0)
  })
})

describe.each(both)('VMs that come and go, with %s paging', (mmu) => {
  it('give back what they had, a thousand times', { timeout: 60_000 }, async () => {
    // mov eax,180000h; mov [eax],eax; mov al,'x'; out e9,al; then hlt, or a loop that leaves the VM on the CPU
    const store = [0xb8, 0, 0, 0x18, 0, 0x89, 0, 0xb0, 0x78, 0xe6, 0xe9]
    const { machine } = await compose({ image: [0xf4], mode: 'flat', mmu })
    const pages = HostPages.of(machine.get('guestMemory'))
    const states = (): number => pages.memory.host.spans.filter(({ name }) => name === 'CPU state').length
    const [before, cpus] = [pages.used, states()]
    for (let n = 0; n < 1000; n++) {
      const vm = await add(machine as never, {
        image: [...store, ...(n % 2 ? [0xf4] : [0xeb, 0xfe])],
        mode: 'flat',
        mmu,
      })
      vm.run(100)
      if (vm.text() !== 'x') expect(vm.text()).toBe('x')
      if (n % 7 === 0) expect(pages.used).toBeGreaterThan(before + 5)
      await vm.end()
      if (pages.used !== before) expect(pages.used).toBe(before)
    }
    expect(states()).toBe(cpus)
  })
})

describe('hostile guests', () => {
  it('have no more shadow tables than they may, however many page tables they have', async () => {
    // Five directories from 400000h on, of 1024 large pages each: mov edi,400000h; mov ecx,5120; mov eax,83h; rep stosd
    const fill = [0xbf, 0, 0, 0x40, 0, 0xb9, 0, 0x14, 0, 0, 0xb8, 0x83, 0, 0, 0, 0xf3, 0xab]
    // CR4.PSE; mov ebx,400000h; mov cr3,ebx; paging on
    const on = [0x0f, 0x20, 0xe0, 0x0c, 0x10, 0x0f, 0x22, 0xe0, 0xbb, 0, 0, 0x40, 0, 0x0f, 0x22, 0xdb]
    const paging = [0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0]
    // D: mov cr3,ebx; xor edx,edx; P: mov al,[edx]; add edx,400000h; jnz P; add ebx,4096; cmp ebx,405000h; jne D
    const touch = [0x0f, 0x22, 0xdb, 0x31, 0xd2, 0x8a, 2, 0x81, 0xc2, 0, 0, 0x40, 0, 0x75, 0xf6]
    const next = [0x81, 0xc3, 0, 0x10, 0, 0, 0x81, 0xfb, 0, 0x50, 0x40, 0, 0x75, 0xe3]
    // mov al,'x'; out e9,al; hlt
    const image = [...fill, ...on, ...paging, ...touch, ...next, 0xb0, 0x78, 0xe6, 0xe9, 0xf4]
    const { vm } = await compose({ image, mode: 'flat', mmu: 'shadow', memory: 8 })
    let most = 0
    while (vm.run(7).reason === 'instructions') most = Math.max(most, vm.count('shadow-pages'))
    expect(vm.text()).toBe('x')
    expect(most).toBeGreaterThan(3900)
    expect(most).toBeLessThanOrEqual(4096)
  })

  it.each(both)('with garbage in CR3 and tables of themselves die alone, with %s paging', async (mmu) => {
    for (const cr3 of [0, 0xffff_f000, 0x1_0000, 0x1f_f000, 0x7000_0000]) {
      // mov eax,cr3'; mov cr3,eax; mov eax,cr0; or eax,80000000h; mov cr0,eax; L: inc dword [eax]; add eax,4096; jmp L
      const load = [0xb8, cr3 & 255, (cr3 >>> 8) & 255, (cr3 >>> 16) & 255, cr3 >>> 24, 0x0f, 0x22, 0xd8]
      const on = [0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0]
      const { vm, machine } = await compose({
        image: [...load, ...on, 0xff, 0x00, 0x05, 0, 0x10, 0, 0, 0xeb, 0xf7],
        mode: 'flat',
        mmu,
      })
      expect(['shutdown', 'instructions']).toContain(vm.run(5000).reason)
      // The host goes on, and so does the next VM.
      const next = await add(machine as never, { image: [0xb0, 0x6f, 0xe6, 0xe9, 0xf4], mode: 'flat', mmu })
      expect(next.run().reason).toBe('idle')
      expect(next.text()).toBe('o')
    }
  })
})
