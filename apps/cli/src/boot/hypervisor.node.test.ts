/** Four Debians on one machine: skipped where `vmexit guests` has fetched no kernels. */
import { readFileSync } from 'node:fs'
import { createHypervisor, type Pc, type VmTechnique } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { append, missing, prompt, shell } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const guests = findGuests()
const kernels = ['linux-686', 'linux-686-pae'] as const
const absent = kernels.find((name) => guests[name] === undefined)

/** Both kernels under both MMU strategies; each has more turns than the one before. */
const ways: readonly (VmTechnique & { readonly kernel: (typeof kernels)[number]; readonly weight: number })[] = [
  { kernel: 'linux-686', technique: 'vtx', mmu: 'nested-paging', weight: 1 },
  { kernel: 'linux-686', technique: 'vtx', mmu: 'shadow-paging', weight: 2 },
  { kernel: 'linux-686-pae', technique: 'vtx', mmu: 'nested-paging', nestedPages: '2 MiB', weight: 3 },
  { kernel: 'linux-686-pae', technique: 'vtx', mmu: 'shadow-paging', weight: 4 },
]

test.skipIf(absent !== undefined)(
  absent === undefined
    ? 'four Debians share a machine by weight, and each reaches its shell and works there'
    : missing(absent),
  { timeout: 900_000 },
  async () => {
    await using hypervisor = await createHypervisor({ memory: '512 MiB' })
    const pcs: Pc[] = []
    for (const { kernel: name, ...way } of ways) {
      const { kernel, initramfs } = guests[name]!
      const files = { kernel: readFileSync(kernel), initrd: readFileSync(initramfs) }
      pcs.push(await hypervisor.createPc({ ...files, append, memory: '96 MiB', display: 'none', ...way }))
    }

    const instructions = 500_000_000
    const stops = await hypervisor.run({ instructions, quantum: 1_000_000 })
    expect([...stops.values()].map(({ reason }) => reason)).toEqual(['limit', 'limit', 'limit', 'limit'])
    for (const [n, pc] of pcs.entries())
      expect(Math.abs(pc.counts.instructions! - (instructions * (n + 1)) / 10)).toBeLessThanOrEqual(4_000_000)

    const ended = hypervisor.run({ quantum: 1_000_000 })
    void ended.finally(() => pcs.map((pc) => pc.console.end()))
    const use = async (pc: Pc, number: number): Promise<string> => {
      await pc.console.waitFor(prompt)
      const said = await shell(pc, `uname -r; seq ${number}000 | sort -r | head -n 1; grep -c . /proc/mounts`)
      pc.console.write('poweroff -f\n')
      return said
    }
    const said = await Promise.all(pcs.map((pc, n) => use(pc, n + 1)))
    for (const [n, text] of said.entries()) {
      const [release, last, mounts] = text.split('\n')
      expect(release).toMatch(ways[n]!.kernel === 'linux-686' ? /^6\..*-686$/ : /^6\..*-686-pae$/)
      expect(last).toBe('999')
      expect(Number(mounts)).toBeGreaterThan(1)
    }
    expect([...(await ended).values()].map(({ reason }) => reason)).toEqual(['off', 'off', 'off', 'off'])
  },
)
