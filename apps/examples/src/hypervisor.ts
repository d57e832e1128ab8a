/** A minimal hypervisor: two VMs under VT-x on one machine, which have its CPU by turns; and why each of them left the guest. */
import { guest, raw } from '@vmexit/boot'
import { createMachine, createVm } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { nestedPaging } from '@vmexit/nested-paging'
import { vmMemory } from '@vmexit/vmm'
import { vtx } from '@vmexit/vtx'
import { x86 } from '@vmexit/x86'

await using machine = await createMachine({ memory: ram('32 MiB'), cpu: x86({ vmx: true }) })

/** A VM whose guest prints `letter` five times, counts to a hundred thousand in between, and asks CPUID at the end. */
async function vmThatPrints(letter: string) {
  // mov ebx,5; again: mov al,letter; out e9h,al; mov ecx,100000; here: loop here; dec ebx; jnz again; cpuid; hlt
  const program = [0xbb, 5, 0, 0, 0, 0xb0, letter.charCodeAt(0), 0xe6, 0xe9, 0xb9, 0xa0, 0x86, 1, 0, 0xe2, 0xfe]
  const image = Uint8Array.of(...program, 0x4b, 0x75, 0xf2, 0x0f, 0xa2, 0xf4)
  const vm = await createVm(machine, {
    memory: vmMemory('4 MiB'),
    execution: vtx(),
    mmu: nestedPaging(),
    guest: guest(raw({ image, address: 0x10_0000, mode: 'flat' })),
  })
  vm.get('ports').claim('debug console', 0xe9, {
    size: 1,
    read: () => 0xff,
    write: (_offset, _width, value) => void printed.push(String.fromCharCode(value)),
  })
  return vm
}

const printed: string[] = []
const vms = [await vmThatPrints('a'), await vmThatPrints('b')]

// The scheduler: 50,000 instructions each, until both are idle. A budget is exact.
const running = new Set(vms)
while (running.size > 0) {
  for (const vm of running) {
    const { reason } = await vm.run({ instructions: 50_000 })
    if (reason === 'idle') running.delete(vm)
  }
}
console.log(`printed by turns: ${printed.join('')}`)

for (const [number, vm] of vms.entries()) {
  const counts = vm.get('counters').snapshot()
  const exits = Object.entries(counts).filter(([name, count]) => name.startsWith('vm-exits-') && count > 0)
  console.log(`VM ${number}: ${counts['instructions']} instructions, ${counts['vm-exits']} exits`)
  for (const [name, count] of exits) console.log(`  ${name.slice('vm-exits-'.length)}: ${count}`)
}
