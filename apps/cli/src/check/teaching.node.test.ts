/** The teaching kernel is equal under every technique; a CPU that is at fault is named by its instruction. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workloadInitramfs } from '@vmexit/guests'
import { checkEquivalence, type VmTechnique } from '@vmexit/vmexit'
import { describe, expect, test } from 'vitest'

const images = join(import.meta.dirname, '../../../../packages/guests/images')
const ways: readonly VmTechnique[] = [
  { technique: 'software-emulation' },
  { technique: 'vtx', mmu: 'nested-paging' },
  { technique: 'vtx', mmu: 'shadow-paging' },
]

describe.each(['teaching', 'teaching-pae'])('%s', (build) => {
  test.each(ways)('is equal under $technique, MMU strategy $mmu', { timeout: 120_000 }, async (way) => {
    const found = await checkEquivalence(
      {
        multiboot: new Uint8Array(readFileSync(join(images, `${build}.elf`))),
        modules: [{ bytes: workloadInitramfs() }],
        append: 'teaching -- syscall:100 fork:10 pgfault:20 cpuid:5 divzero:5 mmap:5',
        memory: '16 MiB',
        ...way,
      },
      { every: 500_000 },
    )
    expect(found.divergence).toBeUndefined()
    expect(found).toMatchObject({ equal: true, stop: 'off', ...way })
    expect(found.instructions).toBeGreaterThan(1_000_000)
  })
})
