/**
 * An event of a guest. Where it begins and ends is found on the bare machine: guests execute the same instructions under every technique, so
 * that it is found by their number under each. Only a store to a page table is found under shadow paging, which is told of it.
 */
import { type Counts, VmexitError } from '@vmexit/core'
import { createPc, type Pc, type PcTechnique } from '@vmexit/vmexit'
import type { Cpu } from '@vmexit/x86'
import { countsOf, eventsOf } from '../pc-counts.ts'
import { HARDWARE_OF_ALL, workloadGuest } from '../pc-guest.ts'
import type { EventRequest } from '../technique.ts'
import type { EventKind, Floor, Steps } from './explanation.ts'
import { nextOf } from './next.ts'
import { type Walk, Walks } from './walks.ts'

/** More than are done until the event was found. */
const REPETITIONS = 1_000_000
/** Instructions between two looks at the console. */
const SLICE = 100_000
const LIMIT = 50_000_000_000
/** Instructions in which an event begins, and those that are traced of it. */
const SEARCHED = 100_000
const TRACED = 200_000
/** Instructions behind a store to a page table that are shown: what makes it known follows at once. */
const BEHIND = 3

/** Where an event is: instructions of the guest before it and before its end, and in words those that are of interest. */
interface Found {
  readonly start: number
  readonly end: number
  readonly texts: ReadonlyMap<number, string>
}

/** Traces it under a technique. @throws VmexitError `explain-event` where there is none. */
export async function explainOnPc(way: PcTechnique, request: EventRequest, steps: Steps): Promise<void> {
  const { start, end, texts } = await find(request)
  await using pc = await booted(way, request)
  await to(pc, start, request)
  const isEmulated = way.technique === 'software-emulation'
  const walks = new Walks()
  const { mmu } = (isEmulated ? pc.system : pc.machine).find('x86')!.paging
  mmu.watch(walks)
  let before = countsOf(pc)
  while (instructionsOf(before) < end) {
    const at = pc.position
    const text = texts.get(instructionsOf(before))
    await run(pc, 1, request)
    const after = countsOf(pc)
    const delta = eventsOf(difference(after, before), {})
    addStep(steps, { delta, walks: walks.take(), at, text, isEmulated })
    if (instructionsOf(after) === instructionsOf(before)) throw noEvent(request, 'the guest does not go on')
    before = after
  }
}

interface Stepped {
  readonly delta: Counts
  readonly walks: readonly Walk[]
  readonly at: Pc['position']
  readonly text: string | undefined
  readonly isEmulated: boolean
}

function addStep(steps: Steps, { delta, walks, at: { cs, ip }, text, isEmulated }: Stepped): void {
  const by = (is: (name: string) => boolean) => Object.fromEntries(Object.entries(delta).filter(([name]) => is(name)))
  const floor: Floor = (cs & 3) === 3 ? 'program' : 'kernel'
  const what = text ?? (floor === 'program' ? 'instructions' : 'instructions of the guest’s kernel')
  const isCall = text !== undefined && floor === 'program' && /^(int|sysenter)/.test(text)
  const isPort = text !== undefined && floor === 'program' && /^(in|ins)\b/.test(text)
  const events = {
    instructions: delta['instructions'] ?? 0,
    ...(isEmulated && { emulated: delta['emulated'] ?? 0 }),
    ...(isCall && { 'system-calls': 1 }),
    ...(isPort && { 'port-reads': 1 }),
  }
  const who = isEmulated ? `${what}, emulated by the VMM` : what
  if (text === undefined) steps.addInstructions(floor, who, events, ip)
  else steps.add(floor, who, events, { at: ip })
  for (const { linear, entries } of walks) {
    const own = entries.filter(({ format }) => format !== 'EPT').length
    const references = { 'walk-references': own, 'second-stage-references': entries.length - own }
    steps.add('hardware', `TLB miss for ${hex(linear)}: a walk`, { 'tlb-misses': 1, ...references }, { reads: entries })
  }
  // Entries of the pointer table of PAE are read with CR3, and by no walk.
  const seen = walks.reduce((sum, { entries }) => sum + entries.length, 0)
  const counted = (delta['walk-references'] ?? 0) + (delta['second-stage-references'] ?? 0)
  if (counted > seen) steps.add('hardware', 'a load of CR3 reads pointers', { 'walk-references': counted - seen })
  const faults = by((name) => name === 'page-faults' || name === 'other-exceptions')
  const exits = by((name) => name.startsWith('vm-exits') || VMM.has(name))
  if ((delta['vm-exits'] ?? 0) > 0) steps.add('vmm', exitWords(delta), exits)
  else if (faults['page-faults']) steps.add('hardware', 'a page fault, which the guest’s kernel gets', faults)
  else if (faults['other-exceptions']) steps.add('hardware', 'an exception, which the guest’s kernel gets', faults)
}

/** What a VMM counts beside exits. */
const VMM = new Set(['true-faults', 'hidden-faults', 'traced-writes'])

function exitWords(delta: Counts): string {
  const reasons = Object.keys(delta).filter((name) => name.startsWith('vm-exits-') && delta[name] !== 0)
  const did = [
    delta['traced-writes']
      ? 'a store to a page table of the guest, which it does itself, and follows in its shadow'
      : '',
    delta['hidden-faults'] ? 'its shadow has not yet what the guest’s tables say, and gets it' : '',
    delta['true-faults'] ? 'the fault is the guest’s own, and goes to its kernel' : '',
  ].filter((words) => words !== '')
  const why = did.length > 0 ? ` (${did.join('; ')})` : ''
  return `exit for ${reasons.map((name) => name.slice(9)).join(', ')}${why}, and entry`
}

// ── Finding ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function find(request: EventRequest): Promise<Found> {
  return request.what === 'pte-write' ? await findStore(request) : await findEntry(request)
}

/** From an instruction of the program that enters its kernel, or reads a port, to the next one of a program. */
async function findEntry(request: EventRequest): Promise<Found> {
  await using pc = await booted({ technique: 'native' }, request)
  await untilBegun(pc, request)
  const cpu = pc.machine.find('x86')!
  const texts = new Map<number, string>()
  let before = countsOf(pc)
  for (let n = 0; n < SEARCHED; n++) {
    const start = instructionsOf(before)
    const isProgram = isInProgram(pc)
    const text = isProgram ? nextOf(cpu).text : ''
    await run(pc, 1, request)
    const after = countsOf(pc)
    if (isProgram && isEvent(request.what, text, difference(after, before))) {
      texts.set(start, text)
      return { start, end: await endOf(pc, cpu, request, texts), texts }
    }
    before = after
  }
  throw noEvent(request, `there was none in ${SEARCHED} instructions`)
}

function isEvent(what: EventKind, text: string, delta: Counts): boolean {
  if (what === 'syscall') return /^(int 0x80|int 80h|sysenter)/.test(text)
  if (what === 'io') return /^(in|out|ins|outs)\b/.test(text)
  return (delta['page-faults'] ?? 0) > 0
}

/** Up to the first instruction of a program behind it, that included. */
async function endOf(pc: Pc, cpu: Cpu, request: EventRequest, texts: Map<number, string>): Promise<number> {
  for (let n = 0; n < TRACED && !isInProgram(pc); n++) await run(pc, 1, request)
  const end = instructionsOf(countsOf(pc))
  if (isInProgram(pc)) texts.set(end, nextOf(cpu).text)
  return end + 1
}

/** A store that shadow paging traces. */
async function findStore(request: EventRequest): Promise<Found> {
  const start = await (async () => {
    await using shadow = await booted({ technique: 'vtx', mmu: 'shadow-paging' }, request)
    await untilBegun(shadow, request)
    let before = countsOf(shadow)
    for (let n = 0; n < SEARCHED; n++) {
      await run(shadow, 1, request)
      const after = countsOf(shadow)
      if ((after['traced-writes'] ?? 0) > (before['traced-writes'] ?? 0)) return instructionsOf(before)
      before = after
    }
    throw noEvent(request, `there was none in ${SEARCHED} instructions`)
  })()
  await using pc = await booted({ technique: 'native' }, request)
  await to(pc, start, request)
  const cpu = pc.machine.find('x86')!
  const texts = new Map<number, string>()
  for (let n = 0; n <= BEHIND; n++) {
    texts.set(start + n, nextOf(cpu).text)
    await run(pc, 1, request)
  }
  return { start, end: start + BEHIND + 1, texts }
}

// ── Running ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function booted(way: PcTechnique, { workload, kernel, engine }: EventRequest): Promise<Pc> {
  const guest = workloadGuest(kernel, [workload], [`${workload.name}:${REPETITIONS}`])
  return await createPc({ ...guest, ...HARDWARE_OF_ALL, engine, ...way })
}

async function run(pc: Pc, instructions: number, { signal }: EventRequest): Promise<string> {
  const { reason } = await pc.run({ signal, idle: 'return', onReset: 'stop', instructions })
  signal?.throwIfAborted()
  return reason
}

/** Until the workload does its work. */
async function untilBegun(pc: Pc, request: EventRequest): Promise<void> {
  let said = ''
  pc.console.onTransmit((bytes) => {
    said = `${said}${String.fromCharCode(...bytes)}`.slice(-200)
  })
  for (let ran = 0; !said.includes(`@@begin ${request.workload.name}`); ran += SLICE) {
    const reason = await run(pc, SLICE, request)
    if (reason !== 'limit' || ran > LIMIT) throw noEvent(request, `the workload does not begin (${reason})`)
  }
}

/** To the moment before an instruction of the guest. */
async function to(pc: Pc, instructions: number, request: EventRequest): Promise<void> {
  const reason = await run(pc, instructions - instructionsOf(countsOf(pc)), request)
  if (instructionsOf(countsOf(pc)) !== instructions) throw noEvent(request, `the guest does not come there (${reason})`)
}

const instructionsOf = ({ instructions = 0 }: Counts): number => instructions
const isInProgram = ({ position: { cs } }: Pc): boolean => (cs & 3) === 3
const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`

function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]))
}

function noEvent({ workload, what }: EventRequest, how: string): VmexitError {
  return new VmexitError('explain-event', {
    problem: `the workload ${workload.name} has no event of the kind ${what}: ${how}`,
    remedy: 'name another workload or another kind: --what syscall, fault, pte-write or io',
  })
}
