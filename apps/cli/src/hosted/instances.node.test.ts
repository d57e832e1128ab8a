/** PCs in the background, as a person deals with them. */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { workloadInitramfs } from '@vmexit/guests'
import { readTeachingKernel } from '@vmexit/guests/node'
import { expect, test, vi } from 'vitest'
import { commandLine } from '../../test/hosted.ts'
import { echoes, worksForEver } from '../../test/roms.ts'
import { append, missing, prompt } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'
import { socketPath } from './state-directory.ts'

const timeout = 240_000
const soon = { timeout: 60_000, interval: 50 }

/** Starts a guest that prints what is typed; it is slow, so that it leaves this machine to others. */
async function withEcho(...flags: string[]) {
  const it = commandLine()
  const rom = it.put('echo.rom', echoes)
  const slow = ['--realtime', '--frequency', '2000000']
  const { code, out, said } = await it.run('boot', '-d', '--name', 'web', '--rom', rom, ...slow, ...flags)
  expect({ code, said }).toEqual({ code: 0, said: '' })
  const [found] = it.state.list()
  expect(out).toBe(`${found!.instance.id}\n`)
  const pid = async () => JSON.parse((await it.run('ps', '--json')).out)[0].pid as number
  return { ...it, id: out.trim(), folder: found!.folder, pid }
}

test('from boot to rm', { timeout }, async () => {
  const { run, start, id, state, folder, pid } = await withEcho()
  expect((await run('ps')).out).toMatch(
    new RegExp(
      `^ID +NAME +WHAT +STATUS +PID\n${id.slice(0, 12)} +web +echo.rom \\(native\\) +Up \\d+ seconds? +\\d+\n$`,
    ),
  )
  expect((await run('ps', '-q', '--no-trunc')).out).toBe(`${id}\n`)
  // What the host's own ps and top show.
  const process = await pid()
  if (existsSync('/proc/self/cmdline')) {
    expect(readFileSync(`/proc/${process}/cmdline`, 'latin1')).toMatch(/^vmexit web echo\.rom \(native\)/)
    expect(readFileSync(`/proc/${process}/comm`, 'latin1')).toMatch(/^vmexit web/)
  }

  const first = start(['attach', 'web'])
  const watching = start(['attach', '--no-stdin', id.slice(0, 5)])
  await vi.waitFor(async () => {
    // Until both are there, and each sees what is typed.
    first.child.stdin!.write('.')
    await vi.waitFor(() => expect(watching.out()).toContain('.'), { timeout: 1000 })
  }, soon)
  first.child.stdin!.write('hello')
  await vi.waitFor(() => expect(watching.out()).toContain('.hello'), soon)
  await vi.waitFor(() => expect(first.out()).toContain('.hello'), soon)

  // Ctrl-C leaves, and what runs runs on.
  watching.child.kill('SIGINT')
  await watching.ended
  const following = start(['logs', '-f', 'web'])
  await vi.waitFor(() => expect(following.out()).toMatch(/^\.+hello$/), soon)
  const waiting = start(['wait', 'web'])
  const [counted] = JSON.parse((await run('stats', 'web', '--json')).out)
  expect(counted).toMatchObject({ id, name: 'web' })
  expect(counted.counts.instructions).toBeGreaterThan(1000)
  expect((await run('rm', 'web')).said).toMatch(/web has not ended \(Up .*end it: vmexit stop web/)

  const last = start(['attach', 'web'], 'bye q')
  for (const each of [first, last]) expect(await each.ended).toMatchObject({ code: 3 })
  expect((await last.ended).out).toBe('bye q')
  expect(await following.ended).toMatchObject({ code: 0, out: expect.stringMatching(/^\.+hellobye q$/) })
  expect(await waiting.ended).toEqual({ code: 0, out: '3\n', said: '' })
  expect((await run('wait', 'web')).out).toBe('3\n')
  expect((await run('ps', '-q')).out).toBe('')
  expect((await run('ps', '-a')).out).toMatch(/web +echo.rom \(native\) +Exited \(3\) \d+ \w+ ago$/m)
  expect((await run('logs', 'web')).out).toMatch(/^\.+hellobye q$/)
  expect(existsSync(socketPath(folder))).toBe(false)
  for (const command of ['attach', 'kill', 'stop', 'stats']) {
    expect(await run(command, 'web')).toMatchObject({
      code: 1,
      said: expect.stringContaining('web does not run (Exited'),
    })
  }
  expect(await run('rm', 'web', 'nobody')).toEqual({
    code: 1,
    out: 'web\n',
    said: "vmexit: there is no instance 'nobody': take a name or an ID of `vmexit ps -a`\n",
  })
  expect(state.list()).toEqual([])
})

test("the host's signals are seen", { timeout }, async () => {
  const it = await withEcho()
  const { run, folder } = it
  const pid = await it.pid()
  process.kill(pid, 'SIGSTOP')
  const stopped = (await run('ps')).out
  expect(stopped).toMatch(existsSync('/proc') ? /web .* Stopped +\d+$/m : /web .* Unresponsive +\d+$/m)
  expect((await run('attach', 'web')).said).toContain('web does not answer: its process')
  expect((await run('logs', '-f', 'web')).said).toContain('let it go on: vmexit kill -s CONT web')
  expect((await run('kill', '-s', 'WINCH', 'web')).said).toContain('takes SIGWINCH when it goes on')
  expect((await run('kill', '-s', 'CONT', 'web')).out).toBe('web\n')
  await vi.waitFor(async () => expect((await run('ps')).out).toContain('Up '), soon)

  process.kill(pid, 'SIGKILL')
  await vi.waitFor(async () => expect((await run('ps', '-a')).out).toMatch(/web .* Dead$/m), soon)
  expect((await run('ps')).out).not.toContain('web')
  expect(await run('wait', 'web')).toMatchObject({ code: 1, said: expect.stringContaining('web is dead') })
  expect(await run('logs', '-f', 'web')).toMatchObject({ code: 0, out: '' })
  expect((await run('rm', 'web')).out).toBe('web\n')
  expect(existsSync(folder)).toBe(false)
})

test('TERM ends it in good order', { timeout }, async () => {
  const it = await withEcho('--save', 'end.state')
  const { run, folder } = it
  process.kill(await it.pid(), 'SIGTERM')
  expect((await run('wait', 'web')).out).toBe('143\n')
  expect(existsSync(socketPath(folder))).toBe(false)
  expect(existsSync(`${folder}/../../end.state`)).toBe(true)
  expect((await run('ps', '-a')).out).toContain('Exited (143)')
})

test('kill and rm -f end what is stopped too; stop ends what ignores its power button', { timeout }, async () => {
  const { run, put, state } = commandLine()
  const rom = put('busy.rom', worksForEver)
  const boot = (name: string) => run('boot', '-d', '--name', name, '--rom', rom, '--realtime', '--frequency', '2000000')
  for (const name of ['a', 'b', 'c']) expect((await boot(name)).code).toBe(0)
  expect((await boot('a')).said).toMatch(/the name a is taken by [0-9a-f]{12}: take another, or remove that one/)
  await run('kill', '-s', 'stop', 'a', 'b')
  expect(await run('kill', 'a')).toEqual({ code: 0, out: 'a\n', said: '' })
  expect((await run('wait', 'a')).out).toBe('137\n')
  expect((await run('stop', '-t', '0', 'c')).out).toBe('c\n')
  expect((await run('wait', 'c')).out).toBe('143\n')
  expect((await run('rm', '-f', 'a', 'b', 'c')).out).toBe('a\nb\nc\n')
  expect(state.list()).toEqual([])
})

test('the teaching kernel as a VM', { timeout }, async () => {
  const { run, put } = commandLine()
  const kernel = put('teaching.elf', readTeachingKernel('teaching'))
  const module = put('programs.cpio', workloadInitramfs())
  const way = ['--technique', 'vtx', '--mmu', 'shadow-paging']
  const files = ['--multiboot', kernel, '--module', module, '--append', '-- syscall:100', '-m', '16M']
  const { out, said } = await run('boot', '--detach', ...files, ...way)
  expect(said).toBe('')
  const id = out.trim()
  expect((await run('logs', '-f', id)).out).toContain('@@done')
  expect((await run('wait', id)).out).toBe('0\n')
  expect((await run('ps', '-a')).out).toMatch(/vm-[0-9a-f]{6} +teaching.elf \(vtx, shadow-paging\) +Exited \(0\)/)
  expect((await run('logs', id)).out).toContain('@@done')
})

const linux = findGuests()['linux-686']

test.skipIf(linux === undefined)(
  linux === undefined ? missing('linux-686') : 'Debian, used and powered off from outside',
  { timeout: 300_000 },
  async () => {
    const { run, start } = commandLine()
    const flags = ['--kernel', linux!.kernel, '--initrd', linux!.initramfs, '--append', append, '--idle', 'skip']
    expect((await run('boot', '-d', '--name', 'debian', ...flags)).code).toBe(0)
    const logs = start(['logs', '-f', 'debian'])
    await vi.waitFor(() => expect(logs.out()).toContain(prompt), { timeout: 200_000, interval: 50 })
    expect(await start(['attach', 'debian'], 'uname -sm; poweroff -f\n').ended).toMatchObject({
      code: 0,
      out: expect.stringContaining('Linux i686'),
    })
    expect(await logs.ended).toMatchObject({ code: 0, out: expect.stringContaining('Power down') })
    expect((await run('wait', 'debian')).out).toBe('0\n')
  },
)

test('what is wrong with a start is told by it, and leaves nothing', { timeout }, async () => {
  const { run, put, state } = commandLine()
  const rom = put('echo.rom', echoes)
  const fails = async (...words: string[]) => {
    const { code, out, said } = await run('boot', '-d', ...words)
    expect([code, out]).toEqual([1, ''])
    return said
  }
  expect(await fails('--kernel', 'none')).toMatch(/^vmexit: --kernel: none cannot be read .* check its name/)
  expect(await fails('--rom', rom, '--technique', 'vtx', '--display', 'text')).toContain('no display yet')
  expect(await fails('--rom', rom, '--memory', '1T')).toMatch(/^vmexit: /)
  expect(await fails('--rom', rom, '--json')).toContain('ask with `vmexit stats --json`')
  expect(await fails('--rom', rom, '--name', 'a b')).toContain("'a b' cannot be a name")
  expect((await run('boot', '--rom', rom, '--name', 'web')).said).toContain('--name goes with --detach')
  expect(state.list()).toEqual([])
  expect((await run('ps', '-a')).out).toBe('ID   NAME   WHAT   STATUS   PID\n')
  expect((await run('kill', '-s', 'NONE', 'x')).said).toContain("there is no signal 'NONE'")
})

test('a start that is broken off leaves nothing that nobody knows of', { timeout }, async () => {
  const { start, put, state, run } = commandLine()
  const boot = start(['boot', '-d', '--rom', put('echo.rom', echoes)])
  await vi.waitFor(() => expect(state.list()).toHaveLength(1), soon)
  boot.child.kill('SIGKILL')
  expect((await boot.ended).out).toBe('')
  await vi.waitFor(() => expect(state.list()).toEqual([]), soon)
  await sleep(100)
  expect((await run('ps', '-aq')).out).toBe('')
})
