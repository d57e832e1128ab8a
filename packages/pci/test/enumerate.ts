/**
 * A bus scan as operating systems do it: identities, functions, sizes of windows by writing ones, capabilities by their
 * chain (PCI 3.0, 6.2.5.1 and 6.7). It knows nothing but the ports.
 */
import type { Bus, Width } from '@vmexit/core'

/** A window as a scan sees it. */
export interface FoundWindow {
  readonly offset: number
  readonly kind: 'io' | 'memory' | 'rom'
  readonly base: number
  readonly size: number
  readonly wide: boolean
  readonly prefetchable: boolean
}

/** A function as a scan sees it. */
export interface FoundFunction {
  readonly at: string
  readonly id: string
  readonly classCode: number
  readonly windows: readonly FoundWindow[]
  readonly capabilities: readonly number[]
  readonly pin: number
  readonly line: number
}

/** Everything on bus `number`. */
export function enumerate(ports: Bus, number = 0): FoundFunction[] {
  const found: FoundFunction[] = []
  for (let device = 0; device < 32; device++) {
    const access = (fn: number) => new ConfigPorts(ports, (number << 16) | (device << 11) | (fn << 8))
    const functions = access(0).read(0x0e, 1) & 0x80 ? 8 : 1
    for (let fn = 0; fn < functions; fn++) {
      const config = access(fn)
      if (config.read(0, 2) !== 0xffff) found.push(describe(`${device}.${fn}`, config))
      else if (fn === 0) break
    }
  }
  return found
}

class ConfigPorts {
  readonly #ports: Bus
  readonly #base: number

  constructor(ports: Bus, base: number) {
    this.#ports = ports
    this.#base = base
  }

  read(offset: number, width: Width): number {
    this.#select(offset)
    return this.#ports.read(0xcfc + (offset & 3), width)
  }

  write(offset: number, width: Width, value: number): void {
    this.#select(offset)
    this.#ports.write(0xcfc + (offset & 3), width, value)
  }

  #select(offset: number): void {
    this.#ports.write(0xcf8, 4, (0x8000_0000 | this.#base | (offset & 0xfc)) >>> 0)
  }
}

function describe(at: string, config: ConfigPorts): FoundFunction {
  const id = [config.read(0, 2), config.read(2, 2)].map((half) => half.toString(16).padStart(4, '0')).join(':')
  const command = config.read(4, 2)
  config.write(4, 2, command & ~3)
  const windows: FoundWindow[] = []
  for (let offset = 0x10; offset < 0x28; offset += 4) {
    const window = sizeOf(config, offset, 'memory')
    if (window === undefined) continue
    windows.push(window)
    if (window.wide) offset += 4
  }
  const rom = sizeOf(config, 0x30, 'rom')
  if (rom !== undefined) windows.push(rom)
  config.write(4, 2, command)
  return {
    at,
    id,
    classCode: config.read(8, 4) >>> 8,
    windows,
    capabilities: capabilitiesOf(config),
    pin: config.read(0x3d, 1),
    line: config.read(0x3c, 1),
  }
}

function sizeOf(config: ConfigPorts, offset: number, space: 'memory' | 'rom'): FoundWindow | undefined {
  const before = config.read(offset, 4)
  config.write(offset, 4, space === 'rom' ? 0xffff_f800 : 0xffff_ffff)
  const ones = config.read(offset, 4)
  config.write(offset, 4, before)
  const kind = space === 'rom' ? 'rom' : before & 1 ? 'io' : 'memory'
  const flags = { rom: 0x7ff, io: 3, memory: 0xf }[kind]
  const mask = (ones & ~flags) >>> 0
  if (mask === 0) return undefined
  const wide = kind === 'memory' && (before & 6) === 4
  return {
    offset,
    kind,
    base: ((before & ~flags) >>> 0) + (wide ? config.read(offset + 4, 4) * 2 ** 32 : 0),
    size: 2 ** 32 - mask,
    wide,
    prefetchable: kind === 'memory' && (before & 8) !== 0,
  }
}

function capabilitiesOf(config: ConfigPorts): number[] {
  const found: number[] = []
  if (!(config.read(6, 2) & 0x10)) return found
  for (let at = config.read(0x34, 1); at >= 0x40 && found.length < 48; at = config.read(at + 1, 1)) {
    found.push(config.read(at, 1))
  }
  return found
}
