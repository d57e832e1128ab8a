/** The demo's guest on a machine of its own, under one engine. */
import { readFileSync } from 'node:fs'
import { createMachine, type SystemState, VmexitError } from '@vmexit/core'
import { engineNamed } from '@vmexit/jit'
import { ram } from '@vmexit/memory'
import { type Engine, Vector, x86 } from '@vmexit/x86'
import { debugConsole } from './debug-console.ts'

/** A count with the words for it. */
export interface Count {
  readonly name: string
  readonly meaning: string
  readonly count: number
}

/** What a run has left. */
export interface Run {
  readonly engine: Engine
  /** All that the guest wrote. */
  readonly console: string
  readonly instructions: number
  /** What the hardware counted, but for what stayed 0. */
  readonly counts: readonly Count[]
  /** Exceptions delivered, by mnemonic: `#PF`. */
  readonly exceptions: readonly Count[]
  /** Registers, memory, TLB and time at the end. */
  readonly state: SystemState
  /** Of the host, for the run alone. */
  readonly seconds: number
}

/** Where the guest expects to be loaded: real mode, 1000h:0. */
const SEGMENT = 0x1000
/** Ten times what the guest needs. */
const LIMIT = 100_000_000

/** SDM vol. 3A, table 6-1, by mnemonic. */
const EXCEPTION_NAMES: Readonly<Record<string, string>> = {
  ...{ DE: 'divide error', DB: 'debug', BP: 'breakpoint', OF: 'overflow', BR: 'bound range', UD: 'invalid opcode' },
  ...{ NM: 'no x87 unit', DF: 'double fault', TS: 'invalid TSS', NP: 'segment not present', SS: 'stack fault' },
  ...{ GP: 'general protection', PF: 'page fault', MF: 'x87 error', AC: 'alignment check', XM: 'SIMD error' },
}

/**
 * Runs the guest from power-on to its HLT; `onText` is given its console line by line.
 * @throws VmexitError `demo-guest` if the guest ends in another way.
 */
export async function runGuest(engine: Engine, onText: (text: string) => void = () => {}): Promise<Run> {
  const image = readFileSync(new URL('../guest/demo.bin', import.meta.url))
  let text = ''
  let shown = 0
  const console = debugConsole((byte) => {
    text += String.fromCharCode(byte)
    if (byte !== 0x0a) return
    onText(text.slice(shown))
    shown = text.length
  })
  await using machine = await createMachine({
    memory: ram('4 MiB'),
    cpu: x86({ engine: engineNamed(engine) }),
    devices: [console],
  })
  const cpu = machine.get('x86')
  machine.get('guestMemory').writeBytes(SEGMENT << 4, image)
  cpu.startAt(SEGMENT, 0)

  const start = performance.now()
  const stop = await machine.run({ instructions: LIMIT })
  const seconds = (performance.now() - start) / 1000
  onText(text.slice(shown))
  if (stop.reason !== 'idle') {
    throw new VmexitError('demo-guest', {
      problem: `the guest ended with '${stop.reason}' at ${cpu.state.ip.toString(16)}, not by halting`,
      remedy: 'rebuild guest/demo.bin with guest/build.sh, or report it',
    })
  }
  const counters = machine.get('counters')
  const counts = counters.declarations
    .map(({ name, meaning }) => ({ name, meaning, count: counters.get(name) }))
    .sort((a, b) => b.count - a.count)
  const exceptions = Object.entries(Vector).map(([name, vector]) => ({
    name: `#${name}`,
    meaning: EXCEPTION_NAMES[name] ?? name,
    count: cpu.counts.exceptions[vector]!,
  }))
  return {
    engine,
    console: text,
    instructions: cpu.retired,
    counts: counts.filter(({ count }) => count !== 0),
    exceptions: exceptions.filter(({ count }) => count !== 0),
    state: machine.save(),
    seconds,
  }
}

/** In what two runs differ, in words; nothing when they are equal. Host time does not count. */
export function differences(a: Run, b: Run): string[] {
  const found: string[] = []
  if (a.console !== b.console) found.push('the text on the console')
  for (const list of ['counts', 'exceptions'] as const) {
    for (const name of new Set([...a[list], ...b[list]].map((each) => each.name))) {
      const [one, other] = [a, b].map((run) => run[list].find((each) => each.name === name)?.count ?? 0)
      if (one !== other) found.push(`${name}: ${one} and ${other}`)
    }
  }
  if (JSON.stringify(a.state) !== JSON.stringify(b.state)) found.push('registers, memory, TLB or virtual time')
  return found
}
