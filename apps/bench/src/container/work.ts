/**
 * What a container costs those who work in it: scripts of busybox's shell in a container, as a bare process whose root is an overlay on the
 * same layers, and as one whose root is a tmpfs with the same files. All on one kernel, so that they have one page cache and one
 * translated code between them, and by turns, so that whatever else the machine does meets all alike.
 */
import { ContainerHost, createContainer } from '@vmexit/container'
import { type Image, Images, memoryStore } from '@vmexit/image'
import { HostInput, HostOutput, ProcFs } from '@vmexit/linux'
import { OverlayFs } from '@vmexit/overlayfs'
import { type FileSystem, TmpFs } from '@vmexit/vfs'
import { busyboxArchive, pieces, tmpfsOf } from './image.ts'

/** A script, and what its time in a container may be of that of a bare process. */
export interface Work {
  readonly title: string
  readonly script: string
  readonly bar: number
}

const COMPUTES = 1.1
const HAS_FILES = 1.3

export const WORK: readonly Work[] = [
  { title: 'sha256sum', bar: COMPUTES, script: 'sha256sum /bin/busybox /bin/busybox /bin/busybox /bin/busybox' },
  {
    title: 'a loop of the shell',
    bar: COMPUTES,
    script: 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo $i',
  },
  { title: 'gzip, gunzip', bar: COMPUTES, script: 'gzip -c /bin/busybox | gunzip | sha256sum' },
  {
    ...{ title: 'find, ten times', bar: HAS_FILES },
    script: 'for i in 0 1 2 3 4 5 6 7 8 9; do find /data -type f -size +8 | wc -l; done',
  },
  { title: 'tar x', bar: HAS_FILES, script: 'tar xf /data.tar -C /work; ls /work/data | wc -l' },
  { title: 'cp -r', bar: HAS_FILES, script: 'cp -r /data /work/copy; ls /work/copy | wc -l' },
  {
    ...{ title: 'create and read, 2,000 files', bar: HAS_FILES },
    script: 'i=0; while [ $i -lt 2000 ]; do echo $i > /work/$i; read x < /work/$i; i=$((i + 1)); done; echo $x',
  },
  { title: 'cat of 2,000 files', bar: HAS_FILES, script: 'cat /data/*/* | wc -c' },
]

/** Where it is done. */
const WHERE = ['container', 'process', 'tmpfs'] as const
type Where = (typeof WHERE)[number]

/** Of one script in one place: milliseconds of processor time, the median; instructions; and what it printed. */
export interface WorkSample {
  readonly cpu: number
  readonly instructions: number
  readonly output: string
}

/** By title and place. */
export type WorkTimes = Readonly<Record<string, Readonly<Record<Where, WorkSample>>>>

/** Times that each script is run in each place, after one of practice. */
const TURNS = 5
/** It begins when it is told to, so that nothing is counted of how it was started. */
const scriptOf = ({ script }: Work): string => `read go; ${script}`
const GO = new TextEncoder().encode('go\n')
/** In both places the same, and in one order. */
const ENVIRONMENT = { HOSTNAME: 'bench', PATH: '/bin' }

type Start = (args: readonly string[]) => Promise<Started> | Started
interface Started {
  /** Tells it to go on; what it has printed when it has ended. */
  go(): Promise<string>
  end(): Promise<void>
}

export async function measureWork(busybox?: string): Promise<WorkTimes> {
  const archive = busyboxArchive(busybox)
  const images = new Images({ store: memoryStore() })
  const image = await images.import(pieces(archive), { name: 'busybox', config: { Cmd: ['sh'], Env: ['PATH=/bin'] } })
  const host = new ContainerHost({ engine: 'jit' })
  using root = await image.root()
  const lower = root.layers.map((layer) => layer.root)
  const tmpfs = tmpfsOf(host.kernel, archive)
  const places: Readonly<Record<Where, Start>> = {
    container: (args) => inContainer(host, image, args),
    process: (args) => bare(host, new OverlayFs({ lower, upper: new TmpFs({ time: host.kernel.time }).root }), args),
    tmpfs: (args) => bare(host, tmpfs, args),
  }
  const times: Record<string, Record<Where, WorkSample>> = {}
  for (const work of WORK) {
    const samples: Record<Where, WorkSample[]> = { container: [], process: [], tmpfs: [] }
    for (let turn = 0; turn <= TURNS; turn++) {
      for (const where of turn % 2 === 0 ? WHERE : WHERE.toReversed()) {
        const sample = await measure(host, places[where], scriptOf(work))
        if (turn > 0) samples[where].push(sample)
        // The tmpfs is there for all; other roots go with what was written.
        if (where === 'tmpfs') await measure(host, places.tmpfs, 'read go; rm -rf /work/*')
      }
    }
    const of = (where: Where): WorkSample => ({
      ...samples[where][0]!,
      cpu: median(samples[where].map(({ cpu }) => cpu)),
    })
    times[work.title] = { container: of('container'), process: of('process'), tmpfs: of('tmpfs') }
  }
  return times
}

async function measure({ kernel }: ContainerHost, start: Start, script: string): Promise<WorkSample> {
  const started = await start(['sh', '-c', script])
  globalThis.gc?.()
  const before = kernel.cpu.retired
  const cpu = process.cpuUsage()
  const output = await started.go()
  const { user, system } = process.cpuUsage(cpu)
  const sample = { cpu: (user + system) / 1000, instructions: kernel.cpu.retired - before, output }
  await started.end()
  return sample
}

async function inContainer(host: ContainerHost, image: Image, args: readonly string[]): Promise<Started> {
  const container = await createContainer({ image, host, args, env: ENVIRONMENT, hostname: 'bench', cwd: '/' })
  const output = new Response(container.stdout).text()
  const writer = container.stdin.getWriter()
  await waits(host)
  return {
    async go() {
      await writer.write(GO)
      await container.exited
      return await output
    },
    end: async () => await container[Symbol.asyncDispose](),
  }
}

async function bare(host: ContainerHost, root: FileSystem, args: readonly string[]): Promise<Started> {
  const { kernel } = host
  const input = new HostInput(kernel)
  let text = ''
  const decoder = new TextDecoder()
  const output = new HostOutput(kernel, (bytes) => {
    text += decoder.decode(bytes, { stream: true })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  kernel.spawn({
    // In namespaces of its own it has the same numbers as in a container, which make for the same instructions.
    ...{ path: '/bin/sh', args, root, namespaces: ['mnt', 'pid'], cwd: '/', files: [input, output, output] },
    env: { HOME: '/', ...ENVIRONMENT },
    // Programs ask /proc what file they are, and what they keep of the answer has an address.
    prepare: (task) =>
      void kernel.vfs.mount(task.context, new ProcFs(kernel, task.ns.pid), '/proc', { source: 'proc' }),
    onExit: () => resolve(),
  })
  host.wake()
  await waits(host)
  return {
    async go() {
      input.feed(GO)
      host.wake()
      await promise
      return text
    },
    end: async () => {},
  }
}

/** Until all programs wait for what comes from outside. */
async function waits({ kernel }: ContainerHost): Promise<void> {
  for (let last = -1; kernel.cpu.retired !== last; ) {
    last = kernel.cpu.retired
    for (let n = 0; n < 3; n++) await new Promise((done) => setImmediate(done))
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
