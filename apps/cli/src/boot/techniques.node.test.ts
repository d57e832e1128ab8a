/** Debian boots alike under every technique: skipped where `vmexit guests` has fetched no kernel. */
import { readFileSync } from 'node:fs'
import { createPc, type PcTechnique } from '@vmexit/vmexit'
import { describe, expect, test } from 'vitest'
import { append, missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const guests = findGuests()
type Kernel = 'linux-686' | 'linux-686-pae'

/** Computing, processes and pipes, and files. */
const work = [
  'uname -a',
  'head -c 100000 /dev/zero | md5sum',
  'seq 2000 | sort -r | gzip | gunzip | md5sum',
  'for i in 1 2 3 4 5 6 7 8; do /bin/true; done; find /bin | wc -l',
]

/** Boots to /init, which runs {@link work} and powers off. */
async function boot(name: Kernel, way: PcTechnique) {
  const kernel = readFileSync(guests[name]!.kernel)
  const initrd = readFileSync(guests[name]!.initramfs)
  const command = `${append} -- sh -c "${work.join('; ')}"`
  await using pc = await createPc({ kernel, initrd, append: command, display: 'none', ...way })
  let console = ''
  pc.console.onOutput((bytes) => {
    console += new TextDecoder('latin1').decode(bytes)
  })
  const { reason } = await pc.run({ idle: 'skip', until: 600 })
  // Kernel time stamps are apart: techniques may differ by what a stale TLB entry allows.
  return {
    reason,
    lines: console.replace(/^\[ *\d+\.\d+\] /gm, '').split('\n'),
    counts: pc.counts,
    machine: pc.machineCounts,
  }
}

const bare: { [name in Kernel]?: ReturnType<typeof boot> } = {}

const cases: readonly { readonly kernel: Kernel; readonly way: PcTechnique }[] = [
  { kernel: 'linux-686', way: { technique: 'software-emulation' } },
  { kernel: 'linux-686', way: { technique: 'vtx', mmu: 'nested-paging' } },
  { kernel: 'linux-686', way: { technique: 'vtx', mmu: 'shadow-paging' } },
  { kernel: 'linux-686-pae', way: { technique: 'software-emulation' } },
  { kernel: 'linux-686-pae', way: { technique: 'vtx', mmu: 'nested-paging' } },
  // Loads of CR3 are another way here: PAE's pointers come with it.
  { kernel: 'linux-686-pae', way: { technique: 'vtx', mmu: 'shadow-paging' } },
]

const named = cases.map((it) => ({ ...it, name: [it.way.technique, it.way.mmu].filter(Boolean).join(' and ') }))

describe.each(named)('$kernel under $name', ({ kernel, way }) => {
  const absent = guests[kernel] === undefined
  const title = absent ? missing(kernel) : 'prints what the bare machine does, to the end'
  test.skipIf(absent)(title, { timeout: 900_000 }, async () => {
    bare[kernel] ??= boot(kernel, { technique: 'native' })
    const [expected, vm] = [await bare[kernel], await boot(kernel, way)]
    expect(expected.reason).toBe('off')
    expect(expected.lines.some((line) => line.startsWith('Linux version 6.'))).toBe(true)
    expect(vm.reason).toBe('off')
    expect(vm.lines).toEqual(expected.lines)
    expect(vm.counts.instructions).toBeGreaterThan(1e9)
    if (way.technique === 'software-emulation') {
      expect(vm.counts).toEqual({ ...expected.counts, emulated: expected.counts.instructions })
      expect(vm.machine.instructions).toBe(0)
    } else {
      // Nearly all of it runs on the CPU itself.
      expect(vm.machine.instructions).toBeGreaterThan(0.999 * vm.counts.instructions!)
      expect(vm.counts['vm-exits']).toBeGreaterThan(10_000)
    }
  })
})
