/** Runs one program on a kernel of its own, its streams being those of this process. */
import { readFile, stat } from 'node:fs/promises'

import { resolve } from 'node:path'
import {
  createKernel,
  HostInput,
  HostOutput,
  HostTerminal,
  type LinuxKernel,
  type OpenFile,
  populate,
  runKernel,
  Strace,
  type Terminal,
} from '@vmexit/linux'
import type { Engine } from '@vmexit/x86'
import { tuneHost } from '../boot/host.ts'
import { rootOfGuest } from '../guests/index.ts'
import { makeTerminalRaw, tell } from '../raw-terminal.ts'
import { type NetworkFlags, openNetwork, resolver } from './network.ts'
import { Root } from './root.ts'
import { linesOf } from './statistics.ts'

/** What the command line says. */
export interface RunFlags extends NetworkFlags {
  readonly root?: readonly string[]
  readonly cwd?: string
  readonly env?: readonly string[]
  readonly uid?: number
  readonly gid?: number
  readonly engine: Engine
  readonly memory: string
  readonly seed: number
  readonly time?: number
  readonly strace?: boolean
  readonly stats?: boolean
  readonly json?: boolean
}

/** The time that a slice of the run is to take: milliseconds. */
const SLICE = 5
/** How far idle time of the programs may be ahead of this machine's: nanoseconds. */
const MOST_AHEAD = 2e6
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Runs the program; answers the exit code, 128 and the signal if one ended it. */
export async function runElf(program: string, args: readonly string[], flags: RunFlags): Promise<number> {
  tuneHost()
  const kernel = createKernel({
    engine: flags.engine,
    memory: flags.memory,
    seed: flags.seed,
    ...(flags.time !== undefined && { epoch: flags.time }),
  })
  const root = new Root(kernel)
  for (const source of flags.root ?? []) await root.add(rootOfGuest(source) ?? source)
  populate(kernel)
  const path = await placed(root, program, flags)
  if (flags.strace) kernel.observer = new Strace(kernel.calls, (line) => tell(`${line}\n`))

  let status: number | undefined
  let text = ''
  const decoder = new TextDecoder()
  const signal = new Signal()
  const network = await openNetwork(
    kernel,
    flags,
    flags.seed,
    () => signal.raise(),
    (line) => tell(`vmexit: ${line}\n`),
  )
  if (network !== undefined) root.fileWhereNone('/etc/resolv.conf', resolver)
  const isTerminal = flags.json !== true && process.stdin.isTTY === true && process.stdout.isTTY === true
  const streams = isTerminal
    ? terminal(kernel, signal)
    : pipes(
        kernel,
        signal,
        flags.json
          ? (bytes) => {
              text += decoder.decode(bytes, { stream: true })
            }
          : undefined,
      )
  kernel.spawn({
    path,
    args: [program, ...args],
    env: Object.fromEntries([...environment(isTerminal), ...(flags.env ?? [])].map(split)),
    files: streams.files,
    ...(streams.terminal !== undefined && { terminal: streams.terminal }),
    ...(flags.cwd !== undefined && { cwd: flags.cwd }),
    ...(flags.uid !== undefined && { uid: flags.uid }),
    ...(flags.gid !== undefined && { gid: flags.gid }),
    onExit: (ended) => {
      status = ended
    },
  })
  const started = performance.now()
  try {
    const outcome = await runKernel(
      kernel,
      hostOf(
        streams,
        () => network === undefined && streams.isSilent(),
        flags,
        () => status !== undefined,
      ),
    )
    if (outcome === 'stuck') process.stderr.write('vmexit: the program waits for what cannot come any more\n')
  } finally {
    streams.end()
    await network?.close()
  }
  const seconds = (performance.now() - started) / 1000
  if (flags.json)
    process.stdout.write(
      `${JSON.stringify({ status: status ?? null, output: text, ...report(kernel, seconds) }, undefined, 2)}\n`,
    )
  else if (flags.stats) process.stderr.write(linesOf(report(kernel, seconds)))
  tellMissing(kernel, flags)
  return status === undefined ? 1 : (status & 0x7f) === 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
}

/** Where the program is in the kernel's root: there already, or a copy of the host's file. */
async function placed(root: Root, program: string, { root: source }: RunFlags): Promise<string> {
  if (source !== undefined) return program.includes('/') ? program : `/bin/${program}`
  const path = resolve(program)
  const { mode } = await stat(path)
  root.file(path, await readFile(path), mode & 0o777)
  return path
}

function environment(isTerminal: boolean): string[] {
  return [`PATH=${PATH}`, 'HOME=/', ...(isTerminal ? [`TERM=${process.env['TERM'] ?? 'vt100'}`] : [])]
}
function split(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, process.env[text] ?? ''] : [text.slice(0, at), text.slice(at + 1)]
}

interface Streams {
  readonly files: readonly OpenFile[]
  readonly terminal?: Terminal
  /** Resolves when something has come. */
  readonly came: () => Promise<void>
  /** Nothing comes any more. */
  readonly isSilent: () => boolean
  end(): void
}

/** Standard input and outputs as they are. */
function pipes(kernel: LinuxKernel, signal: Signal, taken: ((bytes: Uint8Array) => void) | undefined): Streams {
  const input = new HostInput(kernel)
  const output = outputTo(kernel, process.stdout, taken, signal)
  const errors = outputTo(kernel, process.stderr, taken, signal)
  let isEnded = false
  // No more is read ahead than somebody reads.
  const onData = (bytes: Uint8Array): void => {
    input.feed(bytes)
    if (input.waiting > 1 << 20) process.stdin.pause()
    signal.raise()
  }
  const onEnd = (): void => {
    isEnded = true
    input.end()
    signal.raise()
  }
  process.stdin.on('data', onData).on('end', onEnd)
  const came = (): Promise<void> => {
    if (input.waiting < 1 << 16) process.stdin.resume()
    return signal.next()
  }
  return {
    files: [input, output, errors],
    came,
    isSilent: () => isEnded && !output.paused && !errors.paused,
    end() {
      process.stdin.off('data', onData).off('end', onEnd).pause()
      process.stdin.unref?.()
    },
  }
}

function outputTo(
  kernel: LinuxKernel,
  stream: NodeJS.WriteStream,
  taken: ((bytes: Uint8Array) => void) | undefined,
  signal: Signal,
): HostOutput {
  const output: HostOutput = new HostOutput(kernel, (bytes) => {
    if (taken !== undefined) taken(bytes)
    else if (!stream.write(bytes)) {
      output.paused = true
      stream.once('drain', () => {
        output.paused = false
        signal.raise()
      })
    }
  })
  return output
}

/** This process's terminal, with the kernel's line discipline in place of the host's. */
function terminal(kernel: LinuxKernel, signal: Signal): Streams {
  const file = new HostTerminal(kernel, (bytes) => void process.stdout.write(bytes))
  const { stdin, stdout } = process
  const resize = (): void => file.tty.resize(stdout.rows, stdout.columns)
  const onData = (bytes: Uint8Array): void => {
    file.tty.type(bytes)
    signal.raise()
  }
  resize()
  const giveBack = makeTerminalRaw()
  stdin.on('data', onData).resume()
  stdout.on('resize', resize)
  return {
    files: [file, file, file],
    terminal: file.tty,
    came: () => signal.next(),
    isSilent: () => false,
    end() {
      stdin.off('data', onData).pause()
      giveBack()
      stdin.unref?.()
      stdout.off('resize', resize)
    },
  }
}

/** Something that happens from time to time. */
class Signal {
  #happened = false
  #wake: (() => void) | undefined

  raise(): void {
    this.#happened = true
    this.#wake?.()
  }
  /** Resolves at the next time, or at once if there was one since it was asked last. */
  next(): Promise<void> {
    return new Promise((done) => {
      this.#wake = () => {
        this.#happened = false
        this.#wake = undefined
        done()
      }
      if (this.#happened) this.#wake()
    })
  }
}

/** Runs a kernel as fast as this machine can, and lets it sleep as long as its programs do. */
export function hostOf(
  streams: Pick<Streams, 'came'>,
  isSilent: () => boolean,
  flags: Pick<RunFlags, 'idle'>,
  isOver: () => boolean,
): Parameters<typeof runKernel>[1] {
  let slice = 200_000
  let last = performance.now()
  /** Nanoseconds of idle time that programs have had already, and this machine has not. */
  let ahead = 0
  /** When the event loop last had its turn. */
  let turn = last
  const pause = async (): Promise<void> => {
    await new Promise<void>((done) => setImmediate(done))
    last = turn = performance.now()
  }
  return {
    isOver,
    pause,
    slice: () => {
      const took = performance.now() - last
      if (took > SLICE * 1.5) slice = Math.max(20_000, Math.floor(slice / 2))
      else if (took < SLICE / 2) slice = Math.min(20_000_000, slice * 2)
      last = performance.now()
      return slice
    },
    wait: async (nanoseconds) => {
      if (!Number.isFinite(nanoseconds) && isSilent()) return Number.POSITIVE_INFINITY
      // What comes may come at once, again and again, without the event loop: whoever reads all that a program prints does that.
      if (performance.now() - turn > SLICE) await pause()
      const before = performance.now()
      if (flags.idle === 'skip' && Number.isFinite(nanoseconds)) {
        await new Promise<void>((done) => setImmediate(done))
        return nanoseconds
      }
      // A frame is under way for a microsecond; a timer of this machine takes a thousand. So short times pass at once.
      if (ahead + nanoseconds < MOST_AHEAD) {
        ahead += nanoseconds
        return nanoseconds
      }
      const timer = new AbortController()
      const wanted = nanoseconds + ahead
      const passed = Number.isFinite(wanted) ? sleep(wanted / 1e6, timer.signal) : new Promise<void>(() => {})
      await Promise.race([passed, streams.came()])
      timer.abort()
      last = performance.now()
      const slept = (last - before) * 1e6
      const over = Math.max(0, slept - ahead)
      ahead = Math.max(0, ahead - slept)
      return over
    },
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, Math.min(milliseconds, 2 ** 31 - 1))
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}

/** What was counted. */
export function report(kernel: LinuxKernel, seconds: number): Record<string, unknown> {
  const calls: Record<string, number> = {}
  const missing: Record<string, number> = {}
  for (const [number, count] of kernel.callCounts.entries()) {
    if (count === 0) continue
    const row = kernel.calls.rows[number]
    if (row === undefined) missing[kernel.calls.absent.get(number) ?? String(number)] = count
    else calls[row.name] = count
  }
  const { dataMisses, instructionMisses, tableReferences } = kernel.cpu.paging.mmu.counts
  return {
    instructions: kernel.cpu.retired,
    virtualSeconds: kernel.now / 1e9,
    seconds,
    ...kernel.counts,
    tlbMissesData: dataMisses,
    tlbMissesCode: instructionMisses,
    walkReferences: tableReferences,
    calls,
    missing,
  }
}

/** Calls that there are on Linux and not here are worth a word, where the statistics do not say it. */
function tellMissing(kernel: LinuxKernel, { strace, json, stats }: RunFlags): void {
  if (!strace || json || stats) return
  const { missing } = report(kernel, 0) as { missing: Record<string, number> }
  const names = Object.entries(missing).map(([name, count]) => `${name} (${count})`)
  if (names.length > 0) process.stderr.write(`vmexit: calls that this kernel does not have: ${names.join(', ')}\n`)
}
