/** Debian boots alike under every technique: skipped where `vmexit guests` has fetched no kernel. */
import { readFileSync } from 'node:fs'
import { createPc, type PcTechnique } from '@vmexit/vmexit'
import { describe, expect, test } from 'vitest'
import { append, missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const { 'linux-686': linux } = findGuests()

/** Boots to /init, which runs a command and powers off. */
async function boot(way: PcTechnique) {
  const kernel = readFileSync(linux!.kernel)
  const initrd = readFileSync(linux!.initramfs)
  const command = `${append} -- sh -c "uname -a; head -c 100000 /dev/zero | md5sum"`
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

let bare: Promise<Awaited<ReturnType<typeof boot>>> | undefined
const native = () => (bare ??= boot({ technique: 'native' }))

const ways: readonly PcTechnique[] = [
  { technique: 'software-emulation' },
  { technique: 'vtx', mmu: 'nested-paging' },
  { technique: 'vtx', mmu: 'shadow-paging' },
]

const named = ways.map((way) => ({ way, name: [way.technique, way.mmu].filter(Boolean).join(' and ') }))

describe.skipIf(linux === undefined).each(named)(linux === undefined ? missing('linux-686') : '$name', ({ way }) => {
  test('prints what the bare machine does, to the end', { timeout: 900_000 }, async () => {
    const [expected, vm] = [await native(), await boot(way)]
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
