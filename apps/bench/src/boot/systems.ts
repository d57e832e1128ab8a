/** The systems that boot, in this process or in one of their own. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VmexitError } from '@vmexit/core'
import { createPc } from '@vmexit/vmexit'
import { V86, type V86Options } from 'v86'
import { BOOT_TITLES, type BootSystem } from './names.ts'
import type { BootOptions } from './options.ts'
import { type BootRecord, type Reading, Timeline } from './timeline.ts'

/** What is booted. */
export interface Guest {
  readonly kernel: Uint8Array
  readonly initrd: Uint8Array
  readonly append: string
}

/** The same for every system, and addresses that do not move. */
const COMMAND_LINE = 'console=ttyS0 earlyprintk=ttyS0,115200 nokaslr mitigations=off panic=-1'
const MEBIBYTES = 128

/** @throws VmexitError `bench-guest` for files that are not there. */
function guestOf({ kernel, initrd, append, workloads }: BootOptions): Guest {
  const words = [COMMAND_LINE, append, workloads === undefined ? '' : `bench=${workloads}`]
  return { kernel: load(kernel), initrd: load(initrd), append: words.filter((word) => word !== '').join(' ') }
}

function load(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new VmexitError('bench-guest', {
      problem: `${path} cannot be read`,
      remedy:
        'name a folder with vmlinuz and initramfs.cpio.gz, or give --kernel and --initrd; its README says how they are made',
      cause,
    })
  }
}

/** Boots `guest` in this process. */
export async function bootHere(system: BootSystem, options: BootOptions): Promise<BootRecord> {
  const guest = guestOf(options)
  const record = system === 'interpreter' ? await bootVmexit(guest) : await bootV86(system, guest, options.bios)
  if ('done' in record.milestones) return record
  throw new VmexitError('bench-guest', {
    problem: `the guest under ${BOOT_TITLES[system]} ended before it said @@DONE`,
    remedy: 'boot it with `vmexit boot` and look at what it prints',
  })
}

function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function timeline(system: BootSystem, instructions: () => number): Timeline {
  const began = performance.now()
  const read = (): Reading => ({
    wall: performance.now() - began,
    cpu: processorTime(),
    instructions: instructions(),
  })
  return new Timeline(BOOT_TITLES[system], read, new Date().toISOString())
}

async function bootVmexit({ kernel, initrd, append }: Guest): Promise<BootRecord> {
  await using pc = await createPc({ memory: MEBIBYTES << 20, engine: 'interpreter', kernel, initrd, append })
  const cpu = pc.machine.find('x86')!
  const lines = timeline('interpreter', () => cpu.retired)
  pc.console.onOutput((bytes) => lines.feed(bytes))
  await pc.run({ idle: 'return', onReset: 'stop' })
  return lines.record
}

async function bootV86(system: 'v86' | 'v86-jit', guest: Guest, bios: string): Promise<BootRecord> {
  const file = (bytes: Uint8Array) => ({ buffer: Uint8Array.from(bytes).buffer })
  const options: V86Options = {
    wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
    memory_size: MEBIBYTES << 20,
    vga_memory_size: 2 << 20,
    bios: file(load(join(bios, 'bios.bin'))),
    vga_bios: file(load(join(bios, 'vgabios-stdvga.bin'))),
    bzimage: file(guest.kernel),
    initrd: file(guest.initrd),
    cmdline: guest.append,
    autostart: true,
    disable_jit: system === 'v86',
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
  }
  const counter = new WideCounter(() => emulator.get_instruction_counter())
  const lines = timeline(system, () => counter.value)
  const emulator = new V86(options)
  // Often enough for a counter of 32 bits.
  const poll = setInterval(() => counter.value, 500)
  await new Promise<void>((resolve) => {
    emulator.add_listener('serial0-output-byte', (byte) => {
      lines.feed([byte])
      if (lines.done) resolve()
    })
  })
  clearInterval(poll)
  await emulator.destroy()
  return lines.record
}

/** A counter of 32 bits, continued; it must be looked at before it has gone round. */
class WideCounter {
  readonly #read: () => number
  #last = 0
  #turns = 0

  constructor(read: () => number) {
    this.#read = read
  }

  get value(): number {
    const now = this.#read() >>> 0
    if (now < this.#last) this.#turns++
    this.#last = now
    return this.#turns * 2 ** 32 + now
  }
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/**
 * Boots in a process of its own.
 * @throws VmexitError `bench-system` if that process fails.
 */
export async function boot(system: BootSystem, options: BootOptions): Promise<BootRecord> {
  const { kernel, initrd, append, workloads, bios } = options
  const args = ['boot', '--system', system, '--kernel', kernel, '--initrd', initrd, '--append', append, '--bios', bios]
  if (workloads !== undefined) args.push('--workloads', workloads)
  const child = spawn(process.execPath, ['--conditions=@vmexit/source', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (texts.out += chunk))
  child.stderr.on('data', (chunk) => (texts.err += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code === 0) return JSON.parse(texts.out) as BootRecord
  throw new VmexitError('bench-system', {
    problem: `booting ${BOOT_TITLES[system]} ended with code ${code}`,
    remedy: `see what it said: ${texts.err.trim() || '(nothing)'}`,
  })
}
