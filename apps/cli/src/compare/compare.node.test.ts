import { execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { folder } from '../../test/guests.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const node = ['--conditions=@vmexit/source', main, 'compare']
const vmexit = (...args: string[]) => promisify(execFile)(process.execPath, [...node, ...args])
/** Commands beside `compare`. */
const other = (...args: string[]) => promisify(execFile)(process.execPath, [...node.slice(0, -1), ...args])
const FEW = ['--no-starts', '--workloads', 'cpuid,syscall', '--techniques', 'native,vtx-nested,process']

test('it prints the profile and both tables, and the same as JSON, and nothing else without a terminal', async () => {
  const asked = ['--workloads', 'cpuid', '--techniques', 'native,vtx-nested,process', '--profile', 'CLX_8269CY_2.5']
  const { stdout, stderr } = await vmexit(...asked)
  expect(stderr).toBe('')
  expect(stdout).toContain('modelled under CLX_8269CY_2.5,')
  expect(stdout).toMatch(/\ncpuid +14 +1,364 ×97\.4 +14 ×1\.00\n/)
  expect(stdout).toContain('exits by reason: cpuid 1\n')
  expect(stdout).toMatch(/\nStarts: [\s\S]*\n {2}native +1,275k /)
  const document = JSON.parse((await vmexit(...asked, '--json')).stdout)
  expect(document.starts).toHaveLength(3)
  expect(document.cells[1]).toMatchObject({ workload: 'cpuid', technique: 'vtx-nested', events: { 'vm-exits': 1 } })
})

test('shards merge into what one run prints, in whatever form, and a baseline finds what changed', async () => {
  const path = folder()
  const file = (name: string) => join(path, name)
  const whole = (await vmexit(...FEW)).stdout
  for (const n of [1, 2]) writeFileSync(file(`${n}.json`), (await vmexit(...FEW, '--json', '--shard', `${n}/2`)).stdout)
  const merge = (...args: string[]) => vmexit('merge', file('2.json'), file('1.json'), ...args)
  expect((await merge('--html', file('r.html'), '--trace', file('t.json'))).stdout).toBe(whole)
  expect(readFileSync(file('r.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
  expect(JSON.parse(readFileSync(file('t.json'), 'utf8')).traceEvents.length).toBeGreaterThan(10)
  expect((await merge('--csv')).stdout.split('\n')[1]).toMatch(/^teaching,P4_672\+generic_i386_memory,cpuid,native,/)

  // One of two: a part, and said to be one.
  const part = (await vmexit('merge', file('1.json'))).stdout
  expect(part).toMatch(/^PARTIAL \(shard 1\/2\): 2 of 6 cells were not measured/)

  const { stdout } = await merge('--json')
  writeFileSync(file('before.json'), stdout)
  expect((await merge('--baseline', file('before.json'))).stdout).toContain('6 of 6 cells are equal, to the digit')
  const changed = JSON.parse(stdout)
  changed.cells[1].events['vm-exits'] = 2
  writeFileSync(file('before.json'), JSON.stringify(changed))
  await expect(merge('--baseline', file('before.json'))).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('  cpuid under vtx-nested: vm-exits 2 → 1 (−50.00 %)\n'),
  })
  writeFileSync(file('before.json'), JSON.stringify({ ...changed, version: 0 }))
  await expect(merge('--baseline', file('before.json'))).rejects.toMatchObject({
    stderr: expect.stringContaining('before.json is a comparison of version 0, and this is version 2'),
  })
})

test('what it takes here is in a table of its own, with the spread', async () => {
  const asked = ['--no-starts', '--workloads', 'syscall', '--techniques', 'process', '--time', '2']
  const { stdout } = await vmexit(...asked)
  expect(stdout).toMatch(/medians of 2 runs with the lowest and the highest.*No counts and no modelled/s)
  expect(stdout).toMatch(/\n {2}process: syscall \d+ \(\d+–\d+\) ms, peak memory MiB \d+ \(\d+–\d+\)\n/)
  const { host } = JSON.parse((await vmexit(...asked, '--json')).stdout)
  expect(host).toMatchObject({ runs: 2, techniques: [{ technique: 'process' }] })
})

test('explain shows one event step by step, the same each time, and as JSON with the tables that were read', async () => {
  const { stdout } = await other('explain', 'ptemod', '--technique', 'vtx-shadow')
  expect(stdout).toMatch(/^One store to a page table of ptemod under vtx-shadow, on the kernel teaching\n/)
  expect(stdout).toMatch(/ 1 {2}kernel +mov dword ptr \[eax\], edx at 0xc0[0-9a-f]{6} +1 instr, 1 cycles\n/)
  expect(stdout).toMatch(/ vmm +exit for exception-or-nmi \(a store to a page table/)
  expect(stdout).toContain('1 traced store to a page table at 6,613')
  const fault = JSON.parse((await other('explain', 'pgfault', '--technique', 'vtx-nested', '--json')).stdout)
  const read = fault.steps.flatMap(({ reads }: { reads: { format: string }[] }) => reads.map(({ format }) => format))
  expect(read).toEqual(['EPT', 'EPT', 'EPT', 'EPT', '32-bit'])
  expect(fault.events).toMatchObject({ 'page-faults': 1, 'second-stage-references': 4 })
})

test.each([
  [['forks', '--technique', 'native'], "no workload 'forks': take some of syscall"],
  [['syscall', '--technique', 'kvm'], "no technique 'kvm': take some of native"],
  [['syscall', '--technique', 'guest-container'], 'under guest-container cannot be explained'],
  [['syscall', '--technique', 'native', '--profile', 'P5'], "no cost profile 'P5'"],
  [['syscall', '--technique', 'native', '--what', 'x'], 'Allowed choices are syscall, fault, pte-write, io.'],
  [['cpuid', '--technique', 'process', '--what', 'io'], 'no event of the kind io'],
  [['syscall'], "required option '--technique <name>'"],
])('explain %j is an error that names what there is', async (args, message) => {
  await expect(other('explain', ...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
})

test('an interrupt ends it with what there is, marked as partial', async () => {
  // The slowest engine: it takes long, wherever this runs.
  const slow = ['--engine', 'reference', '--techniques', 'process,software-emulation']
  const interrupted = async (after: number) => {
    const child = spawn(process.execPath, [...node, ...slow])
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        said += data
      })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    setTimeout(() => child.kill('SIGINT'), after)
    return { code: await ended, said }
  }
  // Where that is before the first cell, there is nothing to keep; where it is before the program has begun, it is tried again.
  let outcome = await interrupted(6000)
  for (const after of [15_000, 40_000]) if (outcome.code === null) outcome = await interrupted(after)
  expect(outcome.code).toBe(130)
  expect(outcome.said).toMatch(
    /^PARTIAL \(interrupted\): \d+ of 32 cells|^vmexit: interrupted before there was any figure\n$/,
  )
})

test.skipIf(!existsSync('/dev/full'))('a full disk is said, behind figures that are whole', async () => {
  await expect(vmexit(...FEW, '--html', '/dev/full')).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/\nsyscall +358 /),
    stderr: expect.stringContaining('/dev/full cannot be written: the disk is full'),
  })
  expect(existsSync('/dev/full')).toBe(true)
})

test.skipIf(!existsSync('/dev/full'))('so is one that standard output goes to', async () => {
  const full = openSync('/dev/full', 'w')
  const asked = ['--no-starts', '--workloads', 'cpuid', '--techniques', 'process', '--json']
  const child = spawn(process.execPath, [...node, ...asked], { stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  let stderr = ''
  child.stderr!.on('data', (data) => {
    stderr += data
  })
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1)
  expect(stderr).toMatch(/^vmexit: .*ENOSPC|^vmexit: .*no space|^vmexit: .*full/)
})

test.each([
  [['--workloads', 'forks'], "no workload 'forks': take some of syscall, in, cpuid"],
  [['--techniques', 'kvm'], "no technique 'kvm': take some of native, software-emulation"],
  [['--profile', 'P5'], "no cost profile 'P5': take one of P4_672"],
  [['--guest', '64-bit'], 'Allowed choices are 32-bit, pae, debian.'],
  [['--shard', '3/2'], "'3/2' is no shard: write I/N"],
  [['--shard', '1/8'], 'there are 8 shards, and 7 techniques to share among them: take at most 7'],
  [
    ['--techniques', 'guest-container'],
    'guest-container is not possible: the kernel teaching has no containers of its own',
  ],
  [['--baseline', '/nothing.json'], '/nothing.json cannot be read (ENOENT): give a file'],
  [['--html', '/nothing/report.html'], '/nothing/report.html cannot be written: its folder is not there'],
  [['--time', '0'], 'It is a number of runs from 1 to 99.'],
  [['merge'], "missing required argument 'files'"],
])('%j is an error that names what there is', async (args, message) => {
  await expect(vmexit(...args)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(message) })
})
