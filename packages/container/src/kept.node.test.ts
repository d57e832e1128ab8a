/** Containers that are paused, looked into, and gone on with: what outlives a container, and what it does not notice. */
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, store, WHY_NOT } from '../test/busybox-image.ts'
import { finish, said, shell } from '../test/run.ts'
import { ContainerHost, createContainer, openFiles } from './index.ts'
import { collect } from './streams.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function startedSh(script: string, options: object = {}) {
  const image = await busyboxImage()
  return createContainer({ image, args: ['sh', '-c', script], ...options })
}
const shown = (changes: readonly { readonly kind: string; readonly path: string }[]): string[] =>
  changes.map(({ kind, path }) => `${kind} ${path}`)

describe.skipIf(!isBusyboxThere)(`what is kept of a container${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('is what it has changed, from which another one goes on', async () => {
    const image = await busyboxImage()
    const script =
      'rm /etc/group; mkdir -p /a/b; echo one > /a/b/c; ln /a/b/c /a/d; chmod 1777 /a; rm -r /root; mkdir /root; chmod 711 /'
    await using first = await startedSh(script)
    expect((await finish(first)).errors).toBe('')
    expect(shown(first.files.changes())).toEqual([
      ...['A /a', 'A /a/b', 'A /a/b/c', 'A /a/d', 'C /etc', 'D /etc/group', 'C /root'],
    ])
    const layer = [...first.files.layer()]
    await using second = await createContainer({
      ...{ image, layer },
      args: [
        'sh',
        '-c',
        'cat /a/d; ls -l /a/b/c | cut -c11-15; ls -ld / /a | cut -c1-10; ls /etc; echo two >> /a/d; cat /a/b/c',
      ],
    })
    expect((await finish(second)).output).toBe(
      'one\n    2\ndrwx--x--x\ndrwxrwxrwt\nhostname\nhosts\npasswd\none\ntwo\n',
    )
    using ended = await openFiles({ image, layer: second.files.layer() })
    expect(shown(ended.changes())).toEqual(shown(first.files.changes()))
  }, 60_000)

  it('becomes an image, without what every container is given', async () => {
    const base = await busyboxImage()
    await using container = await startedSh('echo x > /made; rm /etc/group')
    await finish(container)
    const image = await container.files.commit(store, base, { name: 'made', config: { Cmd: ['cat', '/made'] } })
    expect(await shell('ls /etc', { image })).toMatchObject({ output: 'hostname\nhosts\npasswd\n' })
    await using of = await createContainer({ image })
    expect((await finish(of)).output).toBe('x\n')
    using files = await openFiles({ image })
    expect([files.stat('/etc/hosts'), files.stat('/made')?.size]).toEqual([undefined, 2])
  }, 60_000)

  it('stands still while it is paused, and dies when it is killed', async () => {
    const host = new ContainerHost()
    await using container = await startedSh('while :; do echo tick; sleep 1; done', { host })
    await using other = await startedSh('cat', { host })
    const reader = container.stdout.getReader()
    await reader.read()
    container.pause()
    expect(container.isPaused).toBe(true)
    for (let n = 0; n < 20; n++) await new Promise((done) => setTimeout(done, 2))
    const before = container.usage.cpuSeconds
    expect(await said(other, 'echo others go on')).toBe('others go on\n')
    expect(container.usage.cpuSeconds).toBe(before)
    container.resume()
    while ((await reader.read()).value === undefined);
    container.pause()
    container.kill('SIGKILL')
    expect(await container.exited).toMatchObject({ exitCode: 137 })
  }, 60_000)

  it('tells what runs in it', async () => {
    await using container = await startedSh('sleep 100 & exec sleep 100000', {
      host: new ContainerHost({ pace: slow }),
    })
    await said(container, 'usleep 1')
    const all = container.processes()
    expect(all.map(({ pid, parent, uid, command }) => [pid, parent, uid, command])).toEqual([
      [1, 0, 0, 'sleep 100000'],
      [3, 1, 0, 'sleep 100'],
    ])
    expect(all[0]!.memory).toBeGreaterThan(4096)
  }, 60_000)

  it('lets files in and out while it runs', async () => {
    await using container = await startedSh('cat', { stdin: true })
    const { files } = container
    await said(container, 'mkdir -p /srv/real; ln -s /srv/real /link; echo before > /srv/real/x; ls /srv/real/new')
    await using source = await startedSh('mkdir /d; echo from > /d/f; chmod 640 /d/f; ln -s f /d/l')
    await finish(source)
    await files.copyIn('/link', source.files.copyOut('/d', 'new'))
    expect(await said(container, 'cd /srv/real/new; cat l; ls -l f | cut -c1-10')).toBe('from\n-rw-r-----\n')
    expect(files.stat('/link')).toEqual({ path: '/srv/real', type: 'directory', mode: 0o755, size: expect.any(Number) })
    expect(files.stat('/link', { follow: false })?.type).toBe('symlink')
    expect(files.stat('/nothing')).toBeUndefined()
    await expect(files.copyIn('/nothing', [])).rejects.toMatchObject({ code: 'container-file' })
    expect(() => [...files.copyOut('/nothing', 'x')]).toThrow(/there is no \/nothing in the container \(ENOENT\)/)
    const all = new TextDecoder('latin1').decode(
      await collect(
        new ReadableStream<Uint8Array>({
          start(controller) {
            for (const piece of files.export()) controller.enqueue(piece)
            controller.close()
          },
        }),
      ),
    )
    expect(all).toContain('srv/real/new/f')
    // What is mounted stays out.
    expect(all).not.toContain('\0dev/shm\0')
    expect(all).toContain('\0srv/real/new/l\0')
  }, 60_000)

  it('that is damaged is told', async () => {
    const image = await busyboxImage()
    const failed = createContainer({ image, layer: [bytes('x'.repeat(2000))] })
    await expect(failed).rejects.toMatchObject({ code: 'container-layer' })
    const small = createContainer({ image, memory: '8K', layer: await big() })
    await expect(small).rejects.toThrow(/what it has changed cannot be brought back \(ENOMEM\): give it more memory/)
  }, 60_000)
})

async function big(): Promise<readonly Uint8Array[]> {
  await using container = await startedSh('dd if=/dev/urandom of=/big bs=1k count=100 2>/dev/null')
  await finish(container)
  return [...container.files.layer()]
}

/** Time does not pass by itself. */
function slow(came: () => Promise<void>) {
  return {
    pause: () => new Promise<void>((done) => setImmediate(done)),
    wait: async () => {
      await came()
      return 0
    },
  }
}
