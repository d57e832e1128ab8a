/**
 * A container in a host process. What it has changed is saved when it has ended; the first one makes the kernel, and those that join it run
 * on that too.
 */
import { type Container, type ContainerHost, createContainer } from '@vmexit/container'
import type { Images } from '@vmexit/image'
import { tuneHost } from '../boot/host.ts'
import { hostStats } from '../boot/hosted-pc.ts'
import type { Hosted, HostedEnd } from '../hosted/hosted.ts'
import { readRecord } from '../hosted/instance.ts'
import { openImages } from '../images/store.ts'
import { Notes, networkAnswers, portsOf } from '../networks/answers.ts'
import { openNetworkOf } from '../networks/of-container.ts'
import { report } from '../run-elf/run.ts'
import { containerAnswers } from './answers.ts'
import { each, Life } from './life.ts'
import { openHost } from './machine.ts'
import { inLayer, removeUnfinished, savedLayer, saveLayer } from './saved-layer.ts'
import { type ContainerSpec, optionsOf } from './spec.ts'

interface Shared {
  readonly host: ContainerHost
  readonly images: Images
}
let shared: Shared | undefined

/** Opens it, and starts its program. @throws VmexitError. */
export async function hostedContainer(
  spec: ContainerSpec,
  { folder, id }: { readonly folder: string; readonly id: string },
): Promise<Hosted> {
  if (shared === undefined) {
    tuneHost()
    shared = { host: openHost(spec.machine), images: openImages() }
  }
  removeUnfinished(folder)
  const { host, images } = shared
  const image = await images.find(spec.image.id)
  const begun = performance.now()
  let container: Container
  const notes = new Notes()
  const network = await openNetworkOf(spec, host, {
    ...{ id, name: readRecord(folder, 'instance')?.name ?? id, idle: spec.machine.idle },
    tell: (text) => notes.tell(text),
  })
  try {
    container = await createContainer({
      ...{ hostname: id.slice(0, 12), ...optionsOf(spec, image, host), ...network.options },
      ...{ name: id, layer: savedLayer(folder) },
      ...(spec.tty && { terminal: { rows: 24, columns: 80 } }),
    })
  } catch (error) {
    await network.close()
    throw inLayer(folder, error)
  }
  notes.tellPorts(spec, container.network)
  const life = new Life(container, image.config.config?.StopSignal ?? undefined)
  const writer = container.stdin.getWriter()
  writer.closed.catch(() => {})
  if (!spec.interactive && !spec.tty) void writer.close().catch(() => {})
  const seconds = (): number => (performance.now() - begun) / 1000
  return {
    onOutput: (listener) => {
      if (!spec.tty) notes.listen((bytes) => listener(bytes, 'errors'))
      life.outputs = [
        each(container.stdout, (bytes) => listener(bytes, 'output')),
        each(container.stderr, (bytes) => listener(bytes, 'errors')),
      ]
    },
    // What it has not read when it ends nobody reads any more.
    input: (bytes) => (bytes.length === 0 ? writer.close() : writer.write(bytes)).catch(() => {}),
    stop: () => life.stop(),
    stats: () => ({
      ...{ instructions: host.kernel.cpu.retired, ...container.usage },
      ...hostStats(),
    }),
    about: () => ({
      ...{ paused: container.isPaused, ports: portsOf(container.network) },
      program: { tty: spec.tty, input: spec.interactive ? (spec.once ? 'once' : 'open') : 'none' },
    }),
    answers: { ...containerAnswers(container, folder, life), ...networkAnswers(spec, container.network) },
    run: async (signal): Promise<HostedEnd> => {
      const { exitCode, ...how } = await life.run(signal)
      const { memoryPeak } = container.usage
      const end = { exitCode, report: { ...how, memoryPeak, ...report(host.kernel, seconds()) } }
      if (life.isDiscarded) return end
      try {
        saveLayer(folder, container.files.layer())
        return end
      } catch (error) {
        return {
          ...end,
          word: `what it has changed could not be saved (${(error as Error).message}): that of its last run is kept`,
        }
      }
    },
    [Symbol.asyncDispose]: async () => {
      await container[Symbol.asyncDispose]()
      await network.close()
    },
  }
}
