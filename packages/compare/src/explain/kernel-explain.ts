/** An event of a process or a container on a kernel outside of the machine: the program's side is traced, the kernel's is charged. */

import { ContainerHost, createContainer } from '@vmexit/container'
import { type Counts, VmexitError } from '@vmexit/core'
import { createKernel, type Host, HostOutput, type LinuxKernel, populate, runKernel } from '@vmexit/linux'
import { imageOf } from '../container/host.ts'
import { MEMORY, store } from '../process/kernel.ts'
import { differenceOnKernel, KernelMeter, pause } from '../process/kernel-meter.ts'
import type { EventRequest } from '../technique.ts'
import type { EventKind, Steps } from './explanation.ts'
import { nextOf } from './next.ts'
import { Walks } from './walks.ts'

const REPETITIONS = '1000000'
/** Instructions until a workload does its work. */
const WARM = 100_000
const SEARCHED = 5_000
/** Instructions of the program that are shown behind the event. */
const BEHIND = 2

/** Traces it in a process. */
export async function explainInProcess(request: EventRequest, steps: Steps): Promise<void> {
  const { workload, engine, signal } = request
  const kernel = createKernel({ memory: MEMORY, ...(typeof engine === 'string' && { engine }) })
  populate(kernel)
  const path = store(kernel, workload.name, workload.image())
  const output = new HostOutput(kernel, () => {})
  kernel.spawn({ path, args: [path, REPETITIONS], cwd: '/tmp', files: [undefined, output, output] })
  const tracer = new Tracer(kernel, request, steps)
  await runKernel(kernel, { ...tracer.host, isOver: () => tracer.isDone || signal?.aborted === true })
  signal?.throwIfAborted()
  tracer.check()
}

/** Traces it in a container. */
export async function explainInContainer(request: EventRequest, steps: Steps): Promise<void> {
  const { workload, engine, signal } = request
  let tracer: Tracer | undefined
  let isKilled = false
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const host = new ContainerHost({
    memory: MEMORY,
    ...(typeof engine === 'string' && { engine }),
    pace: () => ({
      pause: () => tracer?.host.pause() ?? pause(),
      slice: () => tracer?.host.slice() ?? WARM,
      isOver() {
        if (isKilled || !(tracer?.isDone || signal?.aborted)) return false
        resolve()
        return true
      },
    }),
  })
  const rights = workload.does['port-reads'] === undefined ? {} : { capAdd: ['SYS_RAWIO'] }
  const image = await imageOf(workload.name, workload.image())
  await using container = await createContainer({ image, host, args: [REPETITIONS], ...rights })
  tracer = new Tracer(host.kernel, request, steps)
  await Promise.race([done, container.exited])
  // From here on it is to end.
  isKilled = true
  signal?.throwIfAborted()
  tracer.check()
}

/** Steps a kernel between the turns of its host. */
class Tracer {
  readonly host: Required<Pick<Host, 'pause' | 'slice'>>
  readonly #kernel: LinuxKernel
  readonly #request: EventRequest
  readonly #steps: Steps
  readonly #meter: KernelMeter
  readonly #walks = new Walks()
  #before: Counts = {}
  #next = { ip: 0, text: '' }
  #searched = -1
  #behind = -1

  constructor(kernel: LinuxKernel, request: EventRequest, steps: Steps) {
    this.#kernel = kernel
    this.#request = request
    this.#steps = steps
    this.#meter = new KernelMeter(kernel)
    this.host = {
      slice: () => (this.#searched < 0 ? WARM : 1),
      pause: async () => {
        if (!this.isDone) this.#look()
        if (this.#searched % 1000 === 0) await pause()
      },
    }
  }

  get isDone(): boolean {
    return this.#behind === BEHIND || this.#searched > SEARCHED
  }

  /** @throws VmexitError `explain-event` where nothing was found. */
  check(): void {
    if (this.#behind >= 0) return
    const { workload, what } = this.#request
    throw new VmexitError('explain-event', {
      problem: `the workload ${workload.name} has no event of the kind ${what} outside of a guest: there was none in ${SEARCHED} instructions`,
      remedy: 'name another workload or another kind: --what syscall, fault, pte-write or io',
    })
  }

  /** After a slice: what it did, and what comes next. */
  #look(): void {
    const { cpu } = this.#kernel
    const after = this.#meter.counts()
    if (this.#searched >= 0) {
      const delta = differenceOnKernel(after, this.#before)
      if (this.#behind >= 0) {
        this.#behind++
        this.#add(delta)
      } else if (isEvent(this.#request.what, this.#next.text, delta)) {
        this.#behind = 0
        this.#add(delta)
      }
    } else cpu.paging.mmu.watch(this.#walks)
    if (this.#behind < 0) this.#walks.take()
    this.#searched++
    this.#before = after
    this.#next = nextOf(cpu)
  }

  #add(delta: Counts): void {
    const { instructions = 0, 'port-reads': ports = 0, ...rest } = delta
    const { text, ip } = this.#next
    const isPort = /^in\b/.test(text)
    for (const { linear, entries } of this.#walks.take()) {
      const what = `TLB miss for 0x${linear.toString(16).padStart(8, '0')}: a walk`
      this.#steps.add('hardware', what, { 'tlb-misses': 1, 'walk-references': entries.length }, { reads: entries })
    }
    const calls = Object.keys(rest).filter((name) => name.startsWith('system-calls-'))
    const entry = { instructions, ...(isPort && { 'port-reads': 1 }), 'system-calls': rest['system-calls'] ?? 0 }
    this.#steps.add('program', text, entry, { at: ip })
    const faults = { 'page-faults': rest['page-faults'] ?? 0, 'other-exceptions': rest['other-exceptions'] ?? 0 }
    if (faults['page-faults'] + faults['other-exceptions'] > 0)
      this.#steps.add('hardware', 'a fault, which the kernel outside of the machine gets', faults)
    const charged = Object.fromEntries(CHARGED.map((name) => [name, rest[name] ?? 0]))
    if (Object.values(charged).some((count) => count !== 0)) {
      const names = calls.map((name) => name.slice('system-calls-'.length))
      const what = names.length > 0 ? `${names.join(', ')}, charged` : 'its work, charged'
      this.#steps.add('host kernel', `${what} for ${listed(charged)}`, charged)
    }
  }
}

/** What a kernel outside of the machine is charged for. */
const CHARGED = [
  ...['plain-calls', 'memory-calls', 'file-calls', 'bytes-copied', 'pages', 'switches', 'signals', 'forks', 'execs'],
]

const listed = (events: Counts): string =>
  Object.entries(events)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

function isEvent(what: EventKind, text: string, delta: Counts): boolean {
  if (what === 'syscall') return (delta['system-calls'] ?? 0) > 0
  if (what === 'io') return /^(in|out|ins|outs)\b/.test(text)
  if (what === 'fault') return (delta['page-faults'] ?? 0) > 0
  // The kernel changes tables for these calls, and for pages that come.
  return (delta['memory-calls'] ?? 0) + (delta['pages'] ?? 0) > 0
}
