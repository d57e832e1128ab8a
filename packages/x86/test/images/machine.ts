/** The machine that the images of `vectors/system` run on: a CPU, 16 MB of RAM, the image as ROM, and two ports. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type EngineChoice } from '../../src/index.ts'

const RAM_BYTES = 16 << 20
const ROM_BYTES = 0x1_0000
/** Where the reset vector finds it, and its copy below 1 MB. */
const ROM_HIGH = 0xffff_0000
const ROM_LOW = 0xf_0000
/** A character of text; anything written to the second ends the run. */
const TEXT_PORT = 0xe9
const END_PORT = 0xf4
const BUDGET = 1_000_000
/** No image needs a tenth of it. */
const MOST_INSTRUCTIONS = 15_000_000

export interface ImageRun {
  readonly text: string
  /** `end`: the image said so. */
  readonly outcome: 'end' | 'shutdown' | 'halt' | 'runaway'
  readonly instructions: number
}

/** Run an image from reset until it ends. */
export function runImage(image: Uint8Array, engine: EngineChoice): ImageRun {
  const memory = new GuestMemory({
    ranges: [
      { kind: 'ram', start: 0, bytes: 0xa_0000, name: 'RAM below 640 KiB' },
      { kind: 'rom', start: ROM_LOW, bytes: ROM_BYTES, name: 'image below 1 MiB' },
      { kind: 'ram', start: 0x10_0000, bytes: RAM_BYTES - 0x10_0000, name: 'RAM above 1 MiB' },
      { kind: 'rom', start: ROM_HIGH, bytes: ROM_BYTES, name: 'image below 4 GiB' },
    ],
  })
  memory.load(ROM_LOW, image)
  memory.load(ROM_HIGH, image)
  const text: number[] = []
  let ended = false
  const cpu: Cpu = new Cpu({
    memory,
    engine,
    ports: {
      read: (_port, width) => (width === 32 ? -1 : 2 ** width - 1),
      write: (port, width, value) => {
        if (port === TEXT_PORT) for (let i = 0; i < width; i += 8) text.push((value >>> i) & 0xff)
        if (port !== END_PORT) return
        ended = true
        cpu.shorten(0)
      },
    },
  })
  let outcome: ImageRun['outcome'] = 'runaway'
  while (cpu.counts.instructions < MOST_INSTRUCTIONS) {
    const { reason } = cpu.run(BUDGET)
    if (reason === 'halt' || reason === 'shutdown') outcome = reason
    if (ended) outcome = 'end'
    if (outcome !== 'runaway') break
  }
  return {
    text: new TextDecoder('latin1').decode(Uint8Array.from(text)),
    outcome,
    instructions: cpu.counts.instructions,
  }
}
