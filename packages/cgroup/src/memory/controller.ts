/** The files of the memory controller ("Control Group v2", *Memory Interface Files*). */
import type { StateValue } from '@vmexit/core'
import { type ControlFile, type Controller, take } from '../controller.ts'
import type { CounterState } from '../counter.ts'
import { finite } from '../counter.ts'
import { Errno } from '../errno.ts'
import { formatLimit, formatNumber, parseMemory, parseSigned, strip } from '../text.ts'
import { MemoryAccount, type MemoryEvents, MemoryKind, type MemoryNeeds, memoryEvents } from './account.ts'

type File = ControlFile<MemoryAccount>

/** A file that is one limit. */
function limit(
  name: string,
  get: (memory: MemoryAccount) => number,
  set: (memory: MemoryAccount, value: number) => void,
): File {
  return {
    name,
    where: 'below-root',
    read: (memory) => `${formatLimit(get(memory))}\n`,
    write: (memory, text) => take(parseMemory(text), (bytes) => set(memory, bytes)),
  }
}

function events(name: string, of: (memory: MemoryAccount) => MemoryEvents): File {
  const format = (memory: MemoryAccount): string =>
    memoryEvents.map((event) => `${event} ${of(memory)[event]}\n`).join('')
  return { name, where: 'below-root', read: format }
}

const files: readonly File[] = [
  { name: 'memory.current', where: 'below-root', read: ({ usage }) => `${formatNumber(usage)}\n` },
  events('memory.events', ({ events }) => events),
  events('memory.events.local', ({ localEvents }) => localEvents),
  limit(
    'memory.high',
    ({ counter }) => counter.high,
    (memory, bytes) => memory.setHigh(bytes),
  ),
  limit(
    'memory.low',
    ({ low }) => low,
    (memory, bytes) => void (memory.low = bytes),
  ),
  limit(
    'memory.max',
    ({ counter }) => counter.max,
    (memory, bytes) => memory.setMax(bytes),
  ),
  limit(
    'memory.min',
    ({ min }) => min,
    (memory, bytes) => void (memory.min = bytes),
  ),
  {
    name: 'memory.oom.group',
    where: 'below-root',
    read: ({ oomGroup }) => `${Number(oomGroup)}\n`,
    write: (memory, text) => {
      return take(parseSigned(strip(text), 32), (value) => {
        if (value !== 0 && value !== 1) return -Errno.EINVAL
        memory.oomGroup = value === 1
        return 0
      })
    },
  },
  { name: 'memory.peak', where: 'below-root', read: ({ counter }) => `${formatNumber(counter.peak)}\n` },
  {
    name: 'memory.reclaim',
    where: 'everywhere',
    write: (memory, text) => {
      return take(parseMemory(text), (bytes) => (memory.reclaim(bytes) ? 0 : -Errno.EAGAIN))
    },
  },
  { name: 'memory.stat', where: 'everywhere', read: formatStat },
]

function formatStat(memory: MemoryAccount): string {
  const of = (kind: MemoryKind): number => memory.bytesOf(kind)
  const kernelStack = of(MemoryKind.kernelStack)
  const pageTables = of(MemoryKind.pageTables)
  const reclaimable = of(MemoryKind.slabReclaimable)
  const unreclaimable = of(MemoryKind.slabUnreclaimable)
  const shmem = of(MemoryKind.shmem)
  // biome-ignore format: the lines of the file
  const lines = [
    ['anon', of(MemoryKind.anon)],
    ['file', of(MemoryKind.file) + shmem],
    ['kernel', kernelStack + pageTables + reclaimable + unreclaimable],
    ['kernel_stack', kernelStack],
    ['pagetables', pageTables],
    ['sock', of(MemoryKind.sock)],
    ['shmem', shmem],
    ['slab_reclaimable', reclaimable],
    ['slab_unreclaimable', unreclaimable],
    ['slab', reclaimable + unreclaimable],
  ] as const
  return lines.map(([name, bytes]) => `${name} ${formatNumber(bytes)}\n`).join('')
}

type MemoryState = {
  readonly counter: CounterState
  readonly local: readonly number[]
  readonly min: number | null
  readonly low: number | null
  readonly oomGroup: boolean
  readonly events: MemoryEvents
  readonly localEvents: MemoryEvents
}

/** The memory controller. */
export const memoryController: Controller<MemoryAccount, MemoryNeeds> = {
  name: 'memory',
  create: (id, group, parent, shared) => new MemoryAccount(id, group, parent, shared),
  files,
  save({ counter, local, min, low, oomGroup, events, localEvents }): MemoryState {
    return {
      ...{ counter: counter.save(), local: [...local], min: finite(min), low: finite(low), oomGroup },
      ...{ events: { ...events }, localEvents: { ...localEvents } },
    }
  },
  restore(memory, saved: StateValue) {
    const state = saved as MemoryState
    let sum = 0
    state.local.forEach((bytes, kind) => {
      memory.local[kind] = bytes
      sum += bytes
    })
    // Limits come after the charges that were made under them.
    memory.counter.force(sum)
    memory.counter.restore(state.counter)
    memory.min = state.min ?? Number.POSITIVE_INFINITY
    memory.low = state.low ?? Number.POSITIVE_INFINITY
    memory.oomGroup = state.oomGroup
    Object.assign(memory.events, state.events)
    Object.assign(memory.localEvents, state.localEvents)
  },
}
