import { FwCfg } from '@vmexit/chipset'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type FwCfgUnderTest, fwCfgConformance } from './fw-cfg.ts'

function ours(change: (config: FwCfgUnderTest) => Partial<FwCfgUnderTest> = () => ({})) {
  return fwCfgConformance((bench) => {
    const chip = new FwCfg(bench.master)
    const config: FwCfgUnderTest = { ...chip.regions, addFile: (name, data) => chip.addFile(name, data) }
    return { ...config, ...change(config) }
  })
}

for (const { name, run } of ours()) test(name, run)

test('what is broken fails', () => {
  const noDma = ours(({ dma }) => ({ dma: changed(dma, { write: () => null }) }))
  expect(failures(noDma)).toHaveLength(3)
  const noSignature = ours(({ dma }) => ({ dma: changed(dma, { read: () => 0 }) }))
  expect(failures(noSignature)).toEqual(['firmware finds the signature, and that DMA is there'])
  const oneFile = ours(({ addFile }) => {
    let files = 0
    return { addFile: (name, data) => (files++ === 0 ? addFile(name, data) : undefined) }
  })
  expect(failures(oneFile)).toEqual(['files are found by the directory, and read from their beginning each time'])
  const smeared = ours(({ registers }) => ({ registers: changed(registers, { read: (_, value) => value || 0x20 }) }))
  expect(failures(smeared)).toContain('keys of nothing read as zeros')
})
