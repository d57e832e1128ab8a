/** The command line. */
import { parseArgs } from 'node:util'
import { VmexitError } from '@vmexit/core'
import type { Engine } from '@vmexit/x86'
import type { GuestFiles } from './guest.ts'

export const help = `Usage: node --conditions=@vmexit/source tools/lockstep/src/main.ts --kernel FILE [OPTION…]

Boots a guest under the first engine and writes down a hash of the whole state every million instructions; then has the
other engines repeat it, stretch by stretch from saved states, and compares every instruction in windows at random places.
Exit code 0 if all agree, 1 if not: then the first instruction that differs is searched for and shown.

What is booted:
  --kernel FILE         Linux
  --initrd FILE
  --append TEXT         the kernel's command line
  --rom FILE            a ROM instead of a kernel
  --bios FILE           a BIOS instead of a kernel; --vga-bios FILE for its display
  --disk FILE           a hard disk; what the guest writes to it is lost, and is not part of saved states
  --cd FILE             a CD
  --memory SIZE         as of \`vmexit boot\`
  --model NAME          as of \`vmexit boot\`

What is compared:
  --engines LIST        of jit, interpreter and reference, interpreter,reference unless given; the first one leads
  --every N             instructions from hash to hash, 1000000
  --from N              stretches that begin before are left out
  --to N                where to end, if the guest goes on
  --windows N           windows at random places, every second one where an interrupt or exception comes, 0
  --window N            instructions in each, 2000
  --passes N            repetitions of each with random strides, 4
  --stride N            the longest stride, 40
  --seed N              of places and strides, 1
  --repeat              the first engine runs once more from the beginning
  --check-restore       the first engine runs once more from a state in the middle

How:
  --work DIR            keeps trace and states there, and goes on where an earlier run of the same code stopped;
                        a temporary folder unless given
  --save-every N        instructions from saved state to saved state, 200000000
  --shards N            stretches that are repeated at a time, each in its own process, 1
  --json                prints the result as an object

Examples:
  node --conditions=@vmexit/source tools/lockstep/src/main.ts --kernel vmlinuz --initrd initramfs.gz \\
    --append 'console=ttyS0 nokaslr mitigations=off cryptomgr.notests' --work /var/tmp/lockstep --shards 4 --windows 100
  node --conditions=@vmexit/source tools/lockstep/src/main.ts --kernel vmlinuz --to 300000000 --repeat --check-restore
  node --conditions=@vmexit/source tools/lockstep/src/main.ts --kernel vmlinuz --engines jit,interpreter --shards 2
`

/** What the command line asks for. */
export interface LockstepOptions {
  readonly files: GuestFiles
  readonly engines: readonly Engine[]
  readonly every: number
  readonly from: number
  readonly to: number | undefined
  readonly windows: number
  readonly window: number
  readonly passes: number
  readonly stride: number
  readonly seed: number
  readonly repeat: boolean
  readonly checkRestore: boolean
  readonly work: string | undefined
  readonly saveEvery: number
  readonly shards: number
  readonly json: boolean
  /** Of a process that repeats one stretch for another: `ENGINE:FROM:TO`. */
  readonly stretch: { readonly engine: Engine; readonly from: number; readonly to: number } | undefined
}

/** Reads the command line; undefined if help is asked for. Throws a `VmexitError` `lockstep-options`. */
export function readOptions(args: readonly string[]): LockstepOptions | undefined {
  const { values } = parse(args)
  if (values.help) return undefined
  const { kernel, initrd, append, rom, bios, 'vga-bios': vgaBios, disk, cd, memory, model, work } = values
  const every = whole('every', values.every, 1)
  const saveEvery = whole('save-every', values['save-every'], 1)
  const [engine, from, to] = (values.stretch ?? '').split(':')
  return {
    files: { kernel, initrd, append, rom, bios, vgaBios, disk, cd, memory, model },
    engines: values.engines.split(',').map(engineOf),
    every,
    from: whole('from', values.from, 0),
    to: values.to === undefined ? undefined : whole('to', values.to, 1),
    windows: whole('windows', values.windows, 0),
    window: whole('window', values.window, 1),
    passes: whole('passes', values.passes, 0),
    stride: whole('stride', values.stride, 1),
    seed: whole('seed', values.seed, 0),
    repeat: values.repeat,
    checkRestore: values['check-restore'],
    work,
    saveEvery: Math.ceil(saveEvery / every) * every,
    shards: whole('shards', values.shards, 1),
    json: values.json,
    stretch: engine ? { engine: engineOf(engine), from: Number(from), to: Number(to) } : undefined,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const number = (value: number) => ({ type: 'string', default: `${value}` }) as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        kernel: text,
        initrd: text,
        append: text,
        rom: text,
        bios: text,
        'vga-bios': text,
        disk: text,
        cd: text,
        memory: text,
        model: text,
        engines: { type: 'string', default: 'interpreter,reference' },
        every: number(1_000_000),
        from: number(0),
        to: text,
        windows: number(0),
        window: number(2000),
        passes: number(4),
        stride: number(40),
        seed: number(1),
        repeat: flag,
        'check-restore': flag,
        work: text,
        'save-every': number(200_000_000),
        shards: number(1),
        json: flag,
        stretch: text,
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
  } catch (error) {
    throw new VmexitError('lockstep-options', { problem: `${(error as Error).message}`, remedy: 'see --help' })
  }
}

function engineOf(name: string): Engine {
  if (name === 'jit' || name === 'interpreter' || name === 'reference') return name
  throw new VmexitError('lockstep-options', {
    problem: `there is no engine ${name}`,
    remedy: 'name jit, interpreter or reference',
  })
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text.replaceAll('_', ''))
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new VmexitError('lockstep-options', {
    problem: `--${option} is ${text}`,
    remedy: `give a whole number from ${least} on`,
  })
}
