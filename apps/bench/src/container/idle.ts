/** Many containers of one image in one process, each with a program that waits. */
import { ContainerHost, createContainer } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import { Images, memoryStore } from '@vmexit/image'
import { busyboxArchive, pieces } from './image.ts'

/** How many there are. */
export const IDLE = 500

/** What waits, and for what: a shell for its input, `sleep` for a time that does not come. */
export const WAITING = { sh: ['sh'], sleep: ['sleep', '1000000000'] } as const
/** One of the two. */
export type Waiting = keyof typeof WAITING

/** MiB that were resident at most, and before the first container; bytes that one is charged; milliseconds of processor time for one. */
export interface IdleSample {
  readonly peak: number
  readonly before: number
  readonly charged: number
  readonly cpu: number
}

export async function measureIdle(waiting: Waiting, busybox?: string): Promise<IdleSample> {
  const images = new Images({ store: memoryStore() })
  const image = await images.import(pieces(busyboxArchive(busybox)), {
    name: 'busybox',
    config: { Env: ['PATH=/bin'] },
  })
  const turn = (): Promise<void> => new Promise((done) => setImmediate(done))
  // Time stands still while nobody does anything.
  const host = new ContainerHost({
    engine: 'jit',
    pace: (came) => ({ pause: turn, wait: async () => (await came(), 0) }),
  })
  const { kernel } = host
  const before = process.memoryUsage().rss
  const cpu = process.cpuUsage()
  const all = []
  for (let n = 0; n < IDLE; n++) all.push(await createContainer({ image, host, args: WAITING[waiting] }))
  // All have come to where they wait.
  for (let last = -1; kernel.cpu.retired !== last; ) {
    last = kernel.cpu.retired
    for (let n = 0; n < 20; n++) await turn()
  }
  const { user, system } = process.cpuUsage(cpu)
  const ended = all.filter(({ status }) => status !== undefined).length
  if (ended > 0 || kernel.processes.size !== IDLE)
    throw new VmexitError('bench-guest', {
      problem: `${kernel.processes.size - ended} of ${IDLE} containers wait`,
      remedy: 'report it: a program that waits does not end',
    })
  const charged = all.reduce((sum, { usage }) => sum + usage.memory, 0) / IDLE
  const mebibytes = (kibibytes: number): number => kibibytes / 1024
  return {
    peak: mebibytes(process.resourceUsage().maxRSS),
    before: mebibytes(before / 1024),
    charged,
    cpu: (user + system) / 1000 / IDLE,
  }
}
