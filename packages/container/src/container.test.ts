/** Containers in Node and in browsers alike: an image of one static program, FROM scratch. */
import { readProgram } from '@vmexit/guests'
import { type ExecutionConfig, type Image, Images, memoryStore, programArchive } from '@vmexit/image'
import { checkKernel } from '@vmexit/linux'
import { describe, expect, test } from 'vitest'
import { ContainerHost, createContainer } from './index.ts'
import { collect } from './streams.ts'

const images = new Images({ store: memoryStore() })

function imageOf(config: ExecutionConfig = { Entrypoint: ['/fork'] }, architecture = '386'): Promise<Image> {
  const data = readProgram('fork')
  return images.import(programArchive({ name: 'fork', size: data.length, data: [data] }), {
    name: 'fork',
    config,
    platform: { os: 'linux', architecture },
  })
}

describe('a container of one program', () => {
  test('runs it to its end, the same at each time', async () => {
    const image = await imageOf()
    const facts: unknown[] = []
    for (const engine of ['interpreter', 'interpreter', 'jit'] as const) {
      const host = new ContainerHost({ engine })
      await using container = await createContainer({ image, host })
      const output = new TextDecoder().decode(await collect(container.stdout))
      expect(await container.exited).toEqual({ exitCode: 0 })
      facts.push([output, host.kernel.cpu.retired, container.usage.memoryPeak])
    }
    expect(facts[0]).toEqual(facts[1])
    expect(facts[0]).toEqual(facts[2])
    expect(facts[0]).toEqual([expect.stringContaining('@@end fork 00002212'), 19_142, expect.any(Number)])
  })

  test('that may have one process does not fork, and its end is told as it is', async () => {
    await using container = await createContainer({ image: await imageOf(), pids: 1 })
    const { exitCode } = await container.exited
    expect(exitCode).not.toBe(0)
  })

  test('has no more memory than its root takes: it is not made, and nothing is left', async () => {
    const host = new ContainerHost()
    const before = host.kernel.frames.used
    const made = createContainer({ image: await imageOf(), host, memory: 4096 })
    await expect(made).rejects.toMatchObject({ code: expect.stringMatching(/^(container-|exec-failed|overlay)/) })
    expect(host.kernel.frames.used).toBe(before)
    expect(host.kernel.groups.tree.root.children.size).toBe(0)
    expect(checkKernel(host.kernel)).toEqual([])
  })

  test('whose image says no program is refused, and so is one for another machine', async () => {
    const image = await imageOf({})
    await expect(createContainer({ image })).rejects.toMatchObject({ code: 'container-options' })
    const foreign = await imageOf(undefined, 'amd64')
    await expect(createContainer({ image: foreign })).rejects.toMatchObject({ code: 'container-image' })
  })

  test('is not there as long as its signal has been given already', async () => {
    const image = await imageOf()
    const host = new ContainerHost()
    await expect(createContainer({ image, host, signal: AbortSignal.abort() })).rejects.toThrow()
    expect(host.kernel.groups.tree.root.children.size).toBe(0)
  })

  test('many of them at once, and after each other, leave a kernel as it was', async () => {
    const image = await imageOf()
    const host = new ContainerHost()
    const { frames, groups } = host.kernel
    const round = async (): Promise<number> => {
      const some = await Promise.all(Array.from({ length: 8 }, () => createContainer({ image, host, memory: '8M' })))
      for (const each of some) expect((await Promise.all([each.exited, collect(each.stdout)]))[0].exitCode).toBe(0)
      for (const each of some) await each[Symbol.asyncDispose]()
      return frames.used
    }
    const first = await round()
    expect(await round()).toBe(first)
    expect(groups.tree.root.children.size).toBe(0)
    expect(checkKernel(host.kernel)).toEqual([])
  })
})
