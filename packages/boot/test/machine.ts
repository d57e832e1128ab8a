/** A CPU with memory, as tests boot it. */
import { isVmexitError } from '@vmexit/core'
import { GuestMemory, pcRanges } from '@vmexit/memory'
import { Cpu } from '@vmexit/x86'
import { applyBoot } from '../src/apply.ts'
import type { BootImage, Loader } from '../src/image.ts'

export const MIB: number = 2 ** 20

/** What a machine with a PC's memory of `mib` is. */
export function pc(mib = 32): {
  readonly memory: GuestMemory
  readonly cpu: Cpu
  boot(loader: Loader): BootImage
  /** What was written to port 0xe9. */
  text(): string
} {
  const memory = new GuestMemory({ ranges: pcRanges({ ram: mib * MIB }) })
  let text = ''
  const ports = {
    read: () => 0xff,
    write: (port: number, _: number, value: number) => {
      if (port === 0xe9) text += String.fromCharCode(value & 0xff)
    },
  }
  const cpu = new Cpu({ memory, ports, engine: 'reference' })
  const boot = (loader: Loader) => {
    const image = loader(memory)
    applyBoot(image, { memory, cpu })
    return image
  }
  return { memory, cpu, boot, text: () => text }
}

/** The code of the error that `act` throws, or `nothing`. */
export function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (isVmexitError(error)) return error.code
    throw error
  }
  return 'nothing'
}

/** Bytes of memory as text, to the first zero. */
export function textAt(memory: GuestMemory, address: number): string {
  let text = ''
  for (let at = address; memory.read8(at) !== 0; at++) text += String.fromCharCode(memory.read8(at))
  return text
}
