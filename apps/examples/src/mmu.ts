/** The same guest under three ways of following its page tables: where one pays by exits, the others pay by walks. */
import { SlopeMeter, workloadInitramfs } from '@vmexit/guests'
import { readTeachingKernel } from '@vmexit/guests/node'
import { createPc, type PcTechnique } from '@vmexit/vmexit'

// Reads all over 32 MiB, which misses the TLB; and mprotect, which changes page tables.
const programs = ['random:2000', 'ptemod:200']

const strategies: Readonly<Record<string, PcTechnique>> = {
  'no VMM': { technique: 'native' },
  'shadow paging': { technique: 'vtx', mmu: 'shadow-paging' },
  'nested paging': { technique: 'vtx', mmu: 'nested-paging' },
  'nested, 2 MiB': { technique: 'vtx', mmu: 'nested-paging', nestedPages: '2 MiB' },
}

const two = (value = 0) => value.toFixed(2).replace('-0.00', '0.00')
console.log('of one repetition    program  exits  traced writes  TLB misses  references of walks')
for (const [name, technique] of Object.entries(strategies)) {
  await using pc = await createPc({
    multiboot: readTeachingKernel('teaching'),
    modules: [{ bytes: workloadInitramfs() }],
    append: `teaching -- ${programs.join(' ')}`,
    // So slow a virtual time that the guest's timer hardly ever ticks.
    ...{ memory: '64 MiB', frequency: 4_000_000_000, interruptController: 'pic', display: 'none' },
    ...technique,
  })
  // What the hardware did is the machine's; what the VMM did is the VM's.
  const meter = new SlopeMeter(() => ({ ...pc.counts, ...pc.machineCounts }))
  pc.console.onTransmit((bytes) => meter.feed(bytes))
  await pc.run({ idle: 'skip' })
  for (const { program, costs } of meter.slopes) {
    const misses = (costs['tlb-misses-data'] ?? 0) + (costs['tlb-misses-code'] ?? 0)
    const references = (costs['walk-references'] ?? 0) + (costs['second-stage-references'] ?? 0)
    const cells = [two(costs['vm-exits']), two(costs['traced-writes']).padStart(13), two(misses).padStart(10)]
    console.log(`${name.padEnd(20)} ${program.padEnd(8)} ${cells.join('  ')}  ${two(references).padStart(19)}`)
  }
}
