import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const vmexit = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--conditions=@vmexit/source', main, 'compare', ...args])

test('it prints the profile and both tables, and the same as JSON, and nothing else without a terminal', async () => {
  const asked = ['--workloads', 'cpuid', '--techniques', 'native,vtx-nested', '--profile', 'CLX_8269CY_2.5']
  const { stdout, stderr } = await vmexit(...asked)
  expect(stderr).toBe('')
  expect(stdout).toContain('modelled under CLX_8269CY_2.5,')
  expect(stdout).toMatch(/\ncpuid +14 +1,364 +×97\.4\d\n/)
  expect(stdout).toContain('exits by reason: cpuid 1\n')
  const document = JSON.parse((await vmexit(...asked, '--json')).stdout)
  expect(document.cells[1]).toMatchObject({ workload: 'cpuid', technique: 'vtx-nested', events: { 'vm-exits': 1 } })
})

test.each([
  [['--workloads', 'forks'], "no workload 'forks': take some of syscall, in, cpuid"],
  [['--techniques', 'kvm'], "no technique 'kvm': take some of native, software-emulation"],
  [['--profile', 'P5'], "no cost profile 'P5': take one of P4_672"],
  [['--kernel', '64-bit'], 'Allowed choices are 32-bit, pae.'],
])('%j is an error that names what there is', async (args, message) => {
  await expect(vmexit(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
})
