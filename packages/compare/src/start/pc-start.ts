/** The start of a guest: from the entry of its kernel to its first program, and to the end of one; or of a container within it. */
import { type Capabilities, type Counts, VmexitError } from '@vmexit/core'
import { MarkerReader } from '@vmexit/guests'
import { createPc, type Pc, type PcTechnique } from '@vmexit/vmexit'
import { countsOf, eventsOf } from '../pc-counts.ts'
import { CONTAINED, containedStart, HARDWARE_OF_ALL, MEMORY_WITH_MODULES, PEAK, startGuest } from '../pc-guest.ts'
import type { Kernel, StartRequest } from '../technique.ts'
import { isWithin, WAIT_INSTRUCTIONS, waited } from './programs.ts'
import { type MeasuredStart, PAGE_BYTES } from './start.ts'

/** Instructions between two looks at where the guest is: fewer than its first program waits. */
const SLICE = 100_000
/** Number of the register that counts how long the program has waited. */
const ECX = 1
/** Characters of the console that are kept. */
const LAST = 1000
/** A hundred times what a large kernel takes. */
const LIMIT = 50_000_000_000

/** Boots a guest, whose first program waits until it was seen, and runs one that ends at once. */
export async function startOfPc(
  way: PcTechnique,
  contained: boolean,
  { kernel, engine, signal }: StartRequest,
): Promise<MeasuredStart> {
  const guest = contained ? containedStart(kernel) : startGuest(kernel)
  const hardware = { ...HARDWARE_OF_ALL, ...(contained && { memory: MEMORY_WITH_MODULES }), engine }
  await using pc = await createPc({ ...guest.boots, ...hardware, ...way })
  let begin: Counts = {}
  let exit: Counts | undefined
  let said = ''
  const markers = new MarkerReader((marker) => {
    if (marker.kind === 'exit' && marker.program === 'true' && marker.status === 0) exit ??= countsOf(pc)
  })
  pc.console.onTransmit((bytes) => {
    markers.feed(bytes)
    said = `${said}${String.fromCharCode(...bytes)}`.slice(-LAST)
    if (contained && said.endsWith(CONTAINED)) begin = countsOf(pc)
  })
  const run = async (instructions: number) => {
    const { reason } = await pc.run({ signal, idle: 'return', onReset: 'stop', instructions })
    signal?.throwIfAborted()
    return reason
  }
  for (let ran = 0; !isThere(pc); ran += SLICE) {
    const reason = await run(SLICE)
    if (reason !== 'limit' || ran > LIMIT) throw failed(kernel, `has no first program (${reason})`)
  }
  const seen = countsOf(pc)
  const cpu = pc.inspectCpu()
  const since = waited(pc.position.ip, cpu.state.reg32(ECX))
  // To look at registers of a VM is an exit, which is none of its start.
  const looked = difference(countsOf(pc), seen)
  const untilThen = residentOf(pc)
  const reason = await run(LIMIT)
  if (exit === undefined) throw failed(kernel, `did not run a program to its end (${reason})`)
  const first = less(difference(seen, begin), since)
  return {
    first: eventsOf(first, {}),
    exit: eventsOf(less(difference(difference(exit, begin), looked), WAIT_INSTRUCTIONS), {}),
    imageBytes: guest.imageBytes,
    residentBytes: contained ? Number(PEAK.exec(said)?.[1] ?? 0) : untilThen,
  }
}

function isThere({ position: { cs, ip } }: Pc): boolean {
  return (cs & 3) === 3 && isWithin(ip)
}

/** Pages of RAM that are not zero: of the machine, those of the guest and of its VMM's tables; of one that is emulated its own. */
function residentOf({ machine, system }: Pc): number {
  return inUse(machine.find('memory')) || inUse(system.find('memory'))
}

function inUse(memory: Capabilities['memory'] | undefined): number {
  const page = new Uint8Array(PAGE_BYTES)
  const words = new BigUint64Array(page.buffer)
  let bytes = 0
  for (let at = 0; memory !== undefined && at < memory.size; at += PAGE_BYTES) {
    memory.read(at, page)
    if (words.some((word) => word !== 0n)) bytes += PAGE_BYTES
  }
  return bytes
}

function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]))
}

/** Without instructions that were only waited for; a guest that is emulated has each of them emulated. */
function less(counts: Counts, instructions: number): Counts {
  const { instructions: all = 0, emulated = 0 } = counts
  const isEmulated = emulated >= all
  return {
    ...counts,
    instructions: all - instructions,
    ...(isEmulated && { emulated: emulated - instructions }),
  }
}

function failed({ name }: Kernel, how: string): VmexitError {
  return new VmexitError('compare-start', {
    problem: `a guest of the kernel ${name} ${how}`,
    remedy: 'take another kernel, or leave starts out',
  })
}
