/** A program that prints without end, to somebody who reads all of it: other work of the process has its turns. */
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { ContainerHost, type ContainerHostOptions, createContainer } from './index.ts'
import { hostTime } from './node.ts'

/** Bytes after which slices are as long as they get, and those after which a timer has had its turn long ago. */
const [WARM, MOST] = [16 << 20, 256 << 20]

const paces: readonly (readonly [name: string, options: ContainerHostOptions])[] = [
  ['of its own', {}],
  ["of the machine's time", { pace: hostTime }],
]

describe.skipIf(!isBusyboxThere)(`the event loop${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it.each(paces)(
    "is not a program's that prints without end, at a pace %s",
    async (_, options) => {
      const host = new ContainerHost({ engine: 'jit', ...options })
      await using container = await createContainer({ image: await busyboxImage(), host, args: ['cat', '/dev/zero'] })
      let turns = 0
      let bytes = 0
      const timer = setInterval(() => {
        if (bytes > WARM) turns++
      }, 1)
      for await (const piece of container.stdout) {
        bytes += piece.length
        if (turns >= 5 || bytes > MOST) break
      }
      clearInterval(timer)
      expect(turns).toBeGreaterThanOrEqual(5)
    },
    120_000,
  )
})
