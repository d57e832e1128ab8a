/** `vmexit boot --vms`: several VMs in one process. */
import { expect, test } from 'vitest'
import { commandLine } from '../../test/hosted.ts'
import { exitsWith3, rom, worksForEver } from '../../test/roms.ts'

const timeout = 240_000

/** mov dx,3fbh; mov al,3; out dx,al; mov dx,3f8h; mov al,'h'; out dx,al; mov al,'i'; out dx,al; mov al,1; out f4h,al */
const saysHi = rom(
  ...[0xba, 0xfb, 0x03, 0xb0, 0x03, 0xee, 0xba, 0xf8, 0x03],
  ...[0xb0, 0x68, 0xee, 0xb0, 0x69, 0xee, 0xb0, 0x01, 0xe6, 0xf4],
)

test('lines are told apart, and the end is that of all', { timeout }, async () => {
  const { run, put } = commandLine()
  const file = put('hi.rom', saysHi)
  const { code, out, said } = await run('boot', '--rom', file, '--vms', '3', '-m', '2M', '--stats')
  expect(code).toBe(3)
  expect(out.trimEnd().split('\n').sort()).toEqual(['vm1 | hi', 'vm2 | hi', 'vm3 | hi'])
  expect(said).toMatch(/^vm1 under vtx and nested-paging:$/m)
  expect(said).toMatch(/^machine below them:$/m)
})

test('turns are by weight', { timeout }, async () => {
  const { run, put } = commandLine()
  const flags = ['--rom', put('busy.rom', worksForEver), '--vms', '2', '--weights', '3,1', '--instructions', '800000']
  const { said } = await run('boot', ...flags, '-m', '2M', '--technique', 'software-emulation')
  expect(said).toMatch(/^vmexit: vm1: the limit is reached .*after 600000 instructions$/m)
  expect(said).toMatch(/^vmexit: vm2: the limit is reached .*after 200000 instructions$/m)
})

test('in the background they have one process', { timeout }, async () => {
  const { run, put } = commandLine()
  const file = put('hi.rom', saysHi)
  const { out } = await run('boot', '-d', '--rom', file, '--vms', '2', '-m', '2M')
  expect((await run('wait', out.trim())).out).toBe('3\n')
  expect((await run('logs', out.trim())).out.trimEnd().split('\n').sort()).toEqual(['vm1 | hi', 'vm2 | hi'])
  expect((await run('ps', '-a')).out).toContain('2 VMs of hi.rom (vtx)')
})

test('what does not go with several is refused, with the reason', { timeout }, async () => {
  const { run, put } = commandLine()
  const file = put('test.rom', exitsWith3)
  const said = async (...flags: string[]) => (await run('boot', '--rom', file, ...flags)).said
  expect(await said('--vms', '2', '--json', '--save', 'x')).toContain('--json, --save is of one guest')
  expect(await said('--vms', '2', '--technique', 'native')).toContain('native hands the whole machine to one guest')
  expect(await said('--vms', '2', '--weights', '1,2,3')).toContain('there are 3 weights for 2 VMs')
  expect(await said('--vms', '2', '--disk', file)).toContain('would write to the same disk images')
  expect(await said('--weights', '1,2')).toContain('--weights goes with --vms')
})
