/** The ROM in v86. */
import { fileURLToPath } from 'node:url'
import { V86, type V86Options } from 'v86'
import type { Meter } from './meter.ts'

/** Runs `rom` until `meter` has enough. */
export async function runV86(jit: boolean, rom: Uint8Array, meter: Meter): Promise<void> {
  const options: V86Options = {
    wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
    memory_size: 16 << 20,
    vga_memory_size: 2 << 20,
    bios: { buffer: Uint8Array.from(rom).buffer },
    autostart: true,
    disable_jit: !jit,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
  }
  const emulator = new V86(options)
  await new Promise<void>((resolve) => {
    emulator.add_listener('serial0-output-byte', (byte) => {
      if (meter.feed(byte)) resolve()
    })
  })
  await emulator.destroy()
}
