/** Containers in the background, as a person deals with them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { boxes, isBoxThere, WHY_NO_BOX } from '../../test/box.ts'

const timeout = 300_000
const soon = { timeout: 60_000, interval: 50 }

describe.skipIf(!isBoxThere)(`containers${WHY_NO_BOX}`, () => {
  const box = boxes()

  test('from run -d to rmi', { timeout }, async () => {
    const { run, start, state } = box()
    const script = 'trap "echo bye; exit 4" TERM; echo one; echo two >&2; while :; do sleep 0.2; done'
    const { code, out: id, said } = await run('run', '-d', '--name', 'web', '-e', 'A=b', 'box', 'sh', '-c', script)
    expect({ code, said }).toEqual({ code: 0, said: '' })
    expect(id).toBe(`${state.find('web').instance.id}\n`)
    expect((await run('ps')).out).toMatch(/^[0-9a-f]{12} +web +box "sh -c trap "echo bye; e…" +Up \d+ seconds? +\d+$/m)

    // Further programs, with streams and an exit code of their own.
    const talk = start(
      ['exec', '-i', '-e', 'B=c', '-w', '/tmp', 'web', 'sh', '-c', 'echo $A$B $PWD; cat; echo no >&2; exit 5'],
      'in\n',
    )
    expect(await talk.ended).toEqual({ code: 5, out: 'bc /tmp\nin\n', said: 'no\n' })
    expect(await run('exec', 'web', 'nosuch')).toMatchObject({
      code: 127,
      said: expect.stringContaining('there is no program nosuch'),
    })
    expect(await run('exec', '-d', 'web', 'sh', '-c', 'echo kept > /kept; rm -r /root; sleep 1000')).toEqual({
      code: 0,
      out: '',
      said: '',
    })
    await vi.waitFor(
      async () => expect((await run('top', 'web')).out).toMatch(/^\d+ +0 +0 +S +0:\d\d +\d+ +sleep 1000$/m),
      soon,
    )

    expect((await run('logs', 'web')).out).toBe('one\n')
    expect(await run('logs', '-n', '1', '-t', 'web')).toMatchObject({
      out: '',
      said: expect.stringMatching(/^\d{4}-[-0-9T:.]+Z two\n$/),
    })
    expect(JSON.parse((await run('stats', '--json', 'web')).out)[0].counts).toMatchObject({
      processes: expect.any(Number),
    })
    expect((await run('diff', 'web')).out).toBe('A /kept\nD /root\n')

    expect((await run('pause', 'web')).out).toBe('web\n')
    expect((await run('ps')).out).toContain('(Paused)')
    expect((await run('exec', 'web', 'true')).said).toContain('web is paused: let it go on: vmexit unpause web')
    expect((await run('pause', 'web')).said).toContain('web is paused already')
    expect((await run('unpause', 'web')).out).toBe('web\n')

    const waiting = start(['wait', 'web'])
    const following = start(['logs', '-f', 'web'])
    await vi.waitFor(() => expect(following.out()).toBe('one\n'), soon)
    expect(await run('stop', 'web')).toEqual({ code: 0, out: 'web\n', said: '' })
    expect((await waiting.ended).out).toBe('4\n')
    expect(await following.ended).toMatchObject({ code: 0, out: 'one\nbye\n', said: 'two\n' })
    expect((await run('ps', '-a', '--filter', 'ancestor=box', '--filter', 'status=exited')).out).toMatch(
      /web .* Exited \(4\)/,
    )
    expect((await run('ps', '-aq', '--filter', 'status=running')).out).toBe('')

    // What it has changed is still there, and it goes on with it.
    expect((await run('diff', '--json', 'web')).out).toContain('"path": "/kept"')
    expect((await run('commit', '-c', 'CMD ["cat", "/kept"]', 'web', 'kept')).out).toMatch(/^sha256:/)
    expect(await run('run', '--rm', 'kept')).toEqual({ code: 0, out: 'kept\n', said: '' })
    expect((await run('start', 'web')).out).toBe('web\n')
    expect((await run('exec', 'web', 'sh', '-c', 'cat /kept; ls -d /root; echo more >> /kept')).out).toBe('kept\n')
    expect((await run('restart', '-t', '20', 'web')).out).toBe('web\n')
    expect((await run('exec', 'web', 'cat', '/kept')).out).toBe('kept\nmore\n')
    expect((await run('logs', 'web')).out).toBe('one\nbye\none\nbye\none\n')

    const [about] = JSON.parse((await run('inspect', 'web')).out)
    expect(about).toMatchObject({ Name: 'web', State: { Running: true }, Config: { Image: 'box', Env: ['A=b'] } })
    expect((await run('rename', 'web', 'old')).code).toBe(0)
    expect((await run('rmi', 'box')).said).toMatch(/box is the image of old: remove that: vmexit rm old/)
    expect((await run('rm', 'old')).said).toMatch(/old has not ended/)
    expect((await run('kill', 'old')).out).toBe('old\n')
    await run('wait', 'old')
    expect((await run('ps', '-a')).out).toMatch(/old .* Exited \(137\)/)
    expect((await run('rm', 'old')).out).toBe('old\n')
    expect(await run('rmi', 'box')).toMatchObject({ code: 0 })
    expect(state.list()).toEqual([])
  })

  test('in the foreground it is kept unless --rm says otherwise, whoever goes away', { timeout }, async () => {
    const { run, start, state } = box()
    expect(await run('run', '--name', 'a', 'box', 'sh', '-c', 'echo x >> /x; cat /x; exit 3')).toEqual({
      code: 3,
      out: 'x\n',
      said: '',
    })
    expect(await run('start', '-a', 'a')).toEqual({ code: 3, out: 'x\nx\n', said: '' })
    expect(await start(['run', '-i', '--rm', 'box', 'sort'], 'b\na\n').ended).toEqual({
      code: 0,
      out: 'a\nb\n',
      said: '',
    })
    expect((await run('create', '--name', 'made', '-i', 'box', 'cat')).out).toMatch(/^[0-9a-f]{32}\n$/)
    expect((await run('ps', '-a')).out).toMatch(/made .* Created/)
    expect(await start(['start', '-ai', 'made'], 'typed').ended).toMatchObject({ code: 0, out: 'typed' })
    expect((await run('ps', '-a', '--filter', 'name=made')).out).toContain('Exited (0)')

    // Killed in the middle: what runs runs on, and nothing of what it prints is lost.
    const client = start([
      'run',
      '-i',
      '--rm',
      '--name',
      'b',
      'box',
      'sh',
      '-c',
      'n=0; while read x; do n=$((n+1)); echo $n; done; echo end',
    ])
    client.child.stdin!.write('x\n')
    await vi.waitFor(() => expect(client.out()).toBe('1\n'), soon)
    client.child.kill('SIGKILL')
    await client.ended
    expect((await run('ps', '-q')).out).not.toBe('')
    const watching = start(['logs', '-f', 'b'])
    expect((await run('exec', 'b', 'sh', '-c', 'echo exec')).out).toBe('exec\n')
    const attached = start(['attach', 'b'])
    await vi.waitFor(() => {
      attached.child.stdin!.write('y\n')
      expect(watching.out()).toContain('1\n2\n')
    }, soon)
    attached.child.stdin!.end()
    expect(await attached.ended).toMatchObject({ code: 0, out: expect.stringMatching(/end\n$/) })
    expect((await watching.ended).out).toMatch(/^1\n2\n(\d+\n)*end\n$/)
    await vi.waitFor(
      () =>
        expect(
          state
            .list()
            .map(({ instance }) => instance.name)
            .sort(),
        ).toEqual(['a', 'made']),
      soon,
    )
    expect(await run('wait', 'a', 'made')).toMatchObject({ out: '3\n0\n' })

    expect(await run('run', '--name', 'no', 'box', 'nosuch')).toMatchObject({ code: 127 })
    expect(await run('run', '--name', 'a', 'box')).toMatchObject({
      code: 125,
      said: expect.stringContaining('the name a is taken'),
    })
    expect((await run('rm', 'a', 'made')).out).toBe('a\nmade\n')
    expect(state.list()).toEqual([])
  })

  test('files go in and out, while it runs and when it has ended', { timeout }, async () => {
    const { run, start, folder } = box()
    expect(
      (await run('run', '-d', '--name', 'c', 'box', 'sh', '-c', 'mkdir /srv; while :; do sleep 1; done')).code,
    ).toBe(0)
    const file = (name: string) => readFileSync(join(folder, name), 'utf8')
    writeFileSync(join(folder, 'here'), 'from here\n')
    const round = async (n: number): Promise<void> => {
      expect(await run('cp', 'here', `c:/srv/there${n}`)).toEqual({ code: 0, out: '', said: '' })
      expect((await run('cp', `c:/srv/there${n}`, `back${n}`)).said).toBe('')
      expect(file(`back${n}`)).toBe('from here\n')
      expect((await run('cp', 'c:/srv', `dir${n}`)).code).toBe(0)
      expect(file(`dir${n}/there${n}`)).toBe('from here\n')
      expect((await run('cp', `dir${n}`, 'c:/srv')).code).toBe(0)
      expect((await run('cp', `dir${n}/.`, 'c:/tmp')).code).toBe(0)
      const archive = join(folder, 'out.tar')
      expect((await run('export', 'c', '-o', archive)).code).toBe(0)
      expect(readFileSync(archive, 'latin1')).toContain(`\0srv/dir${n}/there${n}\0`)
      expect(readFileSync(archive, 'latin1')).toContain(`\0tmp/there${n}\0`)
      rmSync(archive)
      const out = await run('cp', `c:/srv/dir${n}`, '-')
      expect(out.out).toMatch(new RegExp(`\0dir${n}/there${n}\0`))
      expect(await start(['cp', '-', 'c:/root'], out.out).ended).toMatchObject({ code: 0 })
      expect((await run('cp', `c:/root/dir${n}/there${n}`, 'again')).code).toBe(0)
      expect(file('again')).toBe('from here\n')
    }
    await round(1)
    expect((await run('exec', 'c', 'ls', '-ln', '/srv/there1')).out).toMatch(/^-rw-r--r-- +1 0 +0 /)
    await run('stop', '-t', '0', 'c')
    await round(2)
    expect((await run('diff', 'c')).out).toContain('A /srv/dir2/there2\n')
    expect((await run('cp', 'c:/nosuch', '.')).said).toContain('there is no c:/nosuch')
    expect((await run('cp', 'here', 'c:/no/such/place')).said).toContain('there is no folder c:/no/such')
    expect((await run('cp', 'here', 'there')).said).toContain('neither is a container')
  })

  test('a host process that is killed leaves what was saved before, and damage is told by the file', {
    timeout,
  }, async () => {
    const { run, state } = box()
    expect((await run('run', '--name', 'd', 'box', 'sh', '-c', 'echo kept > /kept')).code).toBe(0)
    const { folder } = state.find('d')
    const layer = readFileSync(join(folder, 'layer.tar'))
    expect(
      (await run('run', '-d', '--name', 'e', 'box', 'sh', '-c', 'echo lost > /lost; while :; do sleep 1; done')).code,
    ).toBe(0)
    const pid = () => JSON.parse(readFileSync(join(state.find('e').folder, 'host.json'), 'utf8')).pid as number
    await vi.waitFor(async () => expect((await run('diff', 'e')).out).toContain('/lost'), soon)
    process.kill(pid(), 'SIGKILL')
    await vi.waitFor(async () => expect((await run('ps', '-a')).out).toMatch(/e .* Dead$/m), soon)
    expect((await run('diff', 'e')).out).toBe('')
    expect((await run('start', 'e')).out).toBe('e\n')
    // By TERM it saves.
    await vi.waitFor(async () => expect((await run('diff', 'e')).out).toContain('/lost'), soon)
    process.kill(pid(), 'SIGTERM')
    expect((await run('wait', 'e')).out).toBe('143\n')
    expect((await run('diff', 'e')).out).toContain('/lost')

    writeFileSync(join(folder, 'layer.tar'), layer.subarray(0, 700))
    const { code, said } = await run('start', 'd')
    expect([code, said]).toEqual([1, expect.stringContaining(`${folder}/layer.tar: what it has changed is damaged`)])
    expect(said).toContain('or delete it, and the container begins anew from its image')
    writeFileSync(join(folder, 'exit.json'), '{"exit')
    const ps = await run('ps', '-a')
    expect(ps.out).toMatch(/ e /)
    expect([ps.code, ps.said]).toEqual([
      1,
      expect.stringContaining(`${folder}/exit.json is not what this vmexit writes`),
    ])
    rmSync(join(folder, 'exit.json'))
    rmSync(join(folder, 'layer.tar'))
    expect(await run('start', '-a', 'd')).toMatchObject({ code: 0 })
    expect((await run('rm', '-f', 'd', 'e')).out).toBe('d\ne\n')
    expect(existsSync(folder)).toBe(false)
  })

  test('several share a kernel, by their weights, and end by themselves', { timeout }, async () => {
    const { run, state } = box()
    const busy = ['sh', '-c', 'while :; do :; done']
    expect((await run('run', '-d', '--name', 'f', '--idle', 'skip', 'box', ...busy)).code).toBe(0)
    expect((await run('run', '-d', '--name', 'g', '--join', 'f', '--cpu-shares', '3072', 'box', ...busy)).code).toBe(0)
    const all = JSON.parse((await run('ps', '--json')).out) as { name: string; pid: number }[]
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1)
    const used = async () => {
      const counted = JSON.parse((await run('stats', '--json', 'f', 'g')).out) as {
        name: string
        counts: { cpuSeconds: number }
      }[]
      return counted.map(({ counts }) => counts.cpuSeconds) as [number, number]
    }
    const before = await used()
    await vi.waitFor(async () => expect((await used())[0] - before[0]).toBeGreaterThan(0.5), soon)
    const after = await used()
    expect((after[1] - before[1]) / (after[0] - before[0])).toBeGreaterThan(2)
    expect((after[1] - before[1]) / (after[0] - before[0])).toBeLessThan(4)
    // The first one's end is not the other's.
    expect((await run('kill', 'f')).out).toBe('f\n')
    expect((await run('exec', 'g', 'echo', 'lives')).out).toBe('lives\n')
    expect((await run('stop', '-t', '0', 'g')).out).toBe('g\n')
    expect((await run('start', 'g')).said).toContain('f does not run, so nothing joins it: start it: vmexit start f')
    expect(await run('start', 'f', 'g')).toMatchObject({ code: 0, out: 'f\ng\n' })
    expect((await run('run', '--rm', '--join', 'g', 'box', 'echo', 'third')).out).toBe('third\n')
    expect(await run('run', '--join', 'g', 'box', 'nosuch')).toMatchObject({ code: 127 })
    expect((await run('rm', '-f', 'f', 'g')).out).toBe('f\ng\n')
    expect(state.list()).toEqual([])
  })
})
