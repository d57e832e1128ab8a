/** `vmexit boot --technique --mmu`, on a small ROM. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { exitsWith3 } from '../../test/roms.ts'

const timeout = 60_000

/** Runs `vmexit boot --rom` to its end. */
async function boot(...flags: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-techniques-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'test.rom')
  writeFileSync(file, exitsWith3)
  const main = join(import.meta.dirname, '..', 'main.ts')
  const command = ['--conditions=@vmexit/source', main, 'boot', '--rom', file, ...flags]
  return await new Promise<{ code: unknown; out: string; said: string }>((resolve) => {
    const child = execFile(process.execPath, command, (error, out, said) => resolve({ code: error?.code, out, said }))
    child.stdin!.end()
  })
}

test('one guest ends alike under each, and its report says how it shared the machine', { timeout }, async () => {
  const report = async (...flags: string[]) => {
    const { code, out } = await boot('--json', ...flags)
    expect(code).toBe(3)
    return JSON.parse(out)
  }
  const native = await report()
  expect(native).toMatchObject({ technique: 'native' })
  expect(native).not.toHaveProperty('machineCounts')
  const emulated = await report('--technique', 'software-emulation')
  const { instructions } = native.counts
  expect(emulated).toMatchObject({ technique: 'software-emulation', counts: { instructions, emulated: instructions } })
  expect(emulated.machineCounts.instructions).toBe(0)
  for (const mmu of ['nested-paging', 'shadow-paging']) {
    const vm = await report('--technique', 'vtx', '--mmu', mmu)
    expect(vm).toMatchObject({ technique: 'vtx', mmu, counts: { instructions } })
    expect(vm.counts['vm-exits'] + vm.counts.emulated).toBeGreaterThan(0)
  }
})

test('--stats has exits by reason, and the machine below', { timeout }, async () => {
  const { said } = await boot('--technique', 'vtx', '--stats')
  expect(said).toMatch(/^VM under vtx and nested-paging:$/m)
  expect(said).toMatch(/^vm-exits-io +1$/m)
  expect(said).toMatch(/^machine below it:$/m)
})

test('--nested-pages says what the second stage maps by', { timeout }, async () => {
  for (const size of ['4K', '2M']) expect((await boot('--technique', 'vtx', '--nested-pages', size)).code).toBe(3)
  expect((await boot('--technique', 'vtx', '--nested-pages', '1G')).said).toContain('choices are 4K, 2M')
  const shadow = await boot('--technique', 'vtx', '--mmu', 'shadow-paging', '--nested-pages', '2M')
  expect(shadow.said).toContain('shadow-paging has no second stage of paging')
})

test('errors name what there is', { timeout }, async () => {
  expect((await boot('--technique', 'vt-x')).said).toContain('choices are native, vtx, software-emulation')
  expect((await boot('--technique', 'vtx', '--mmu', 'none')).said).toContain('choices are nested-paging, shadow-paging')
  expect((await boot('--mmu', 'nested-paging')).said).toContain('leave mmu out, or take a technique that has one: vtx')
  expect((await boot('--technique', 'vtx', '--display', 'text')).said).toContain('no display yet')
  const picture = await boot('--technique', 'vtx', '--screenshot', 'screen.png')
  expect(picture.said).toContain('take another --technique')
})
