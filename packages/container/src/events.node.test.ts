/** What a host tells of its containers, of a real busybox. */
import { expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { type ContainerEvent, ContainerHost, createContainer } from './index.ts'

/** All microtasks have had their turn. */
const turn = (): Promise<void> => new Promise((done) => setTimeout(done))

it.skipIf(!isBusyboxThere)(
  `tells in order what happens, and only while somebody listens${isBusyboxThere ? '' : WHY_NOT}`,
  async () => {
    const host = new ContainerHost()
    const events: ContainerEvent[] = []
    const stop = host.onEvent((event) => void events.push(event))
    const image = await busyboxImage()
    {
      await using container = await createContainer({
        ...{
          image,
          host,
          name: 'box',
          memory: '8M',
          args: ['sh', '-c', 'trap "exit 3" TERM; while :; do sleep 1; done'],
        },
      })
      await container.exec({ args: ['sh', '-c', 'exit 7'] })
      await container.exec({ args: ['sh', '-c', 'x=xxxxxxxx; while :; do x=$x$x; done'] })
      container.pause()
      container.pause()
      container.resume()
      container.kill('SIGTERM')
      await container.exited
      container.kill()
    }
    await turn()
    expect(events.map(({ container, time, ...what }) => what)).toEqual([
      { action: 'start' },
      { action: 'exec_start', pid: expect.any(Number), args: ['sh', '-c', 'exit 7'] },
      { action: 'exec_die', pid: events[1]!.action === 'exec_start' && events[1].pid, exitCode: 7 },
      { action: 'exec_start', pid: expect.any(Number), args: expect.any(Array) },
      { action: 'oom' },
      { action: 'exec_die', pid: expect.any(Number), exitCode: 137, signal: 'SIGKILL' },
      { action: 'pause' },
      { action: 'unpause' },
      { action: 'kill', signal: 15 },
      { action: 'die', exitCode: 3 },
      { action: 'destroy' },
    ])
    expect(new Set(events.map(({ container }) => container))).toEqual(new Set(['box']))
    const times = events.map(({ time }) => time)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times.at(-1)).toBeGreaterThan(times[0]!)

    stop()
    await using again = await createContainer({ image, host, args: ['true'] })
    await again.exited
    await turn()
    expect(events).toHaveLength(11)
  },
  60_000,
)

it.skipIf(!isBusyboxThere)('a listener that throws disturbs no container, and no other listener', async () => {
  const host = new ContainerHost()
  const heard: string[] = []
  const thrown: unknown[] = []
  const uncaught = (error: unknown): void => void thrown.push(error)
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', uncaught)
  try {
    host.onEvent(() => {
      throw new Error('of a listener')
    })
    host.onEvent(({ action }) => void heard.push(action))
    await using container = await createContainer({ image: await busyboxImage(), host, args: ['sh', '-c', 'exit 5'] })
    expect((await container.exited).exitCode).toBe(5)
    await turn()
    expect(heard).toEqual(['start', 'die'])
    expect(thrown).toHaveLength(2)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const each of before) process.on('uncaughtException', each)
  }
})
