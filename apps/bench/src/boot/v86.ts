/** The guest in v86, which boots it by SeaBIOS. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { V86, type V86Options } from 'v86'
import { type Guest, load, MEBIBYTES, timelineOf } from './guest.ts'
import { peakMemory } from './process.ts'
import type { BootRecord } from './timeline.ts'

/** `bios` is the folder of SeaBIOS. */
export async function bootV86(jit: boolean, guest: Guest, bios: string): Promise<BootRecord> {
  const file = (path: string) => {
    const bytes = load(path)
    const whole = bytes.byteLength === bytes.buffer.byteLength
    return { buffer: whole ? bytes.buffer : Uint8Array.from(bytes).buffer }
  }
  const options: V86Options = {
    wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
    memory_size: MEBIBYTES << 20,
    vga_memory_size: 2 << 20,
    bios: file(join(bios, 'bios.bin')),
    vga_bios: file(join(bios, 'vgabios-stdvga.bin')),
    bzimage: file(guest.kernel),
    initrd: file(guest.initrd),
    cmdline: guest.append,
    autostart: true,
    disable_jit: !jit,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
  }
  const counter = new WideCounter(() => emulator.get_instruction_counter())
  const lines = timelineOf(jit ? 'v86' : 'v86-nojit', () => counter.value)
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
  const record = lines.finish(peakMemory())
  await emulator.destroy()
  return record
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
