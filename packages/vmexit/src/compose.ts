/** The parts of a PC, wired as PCs are. */

import { guest } from '@vmexit/boot'
import {
  acpiPower,
  apic,
  debugConsole,
  exitPort,
  fwCfg,
  keyboardController,
  pic,
  pit,
  postPort,
  rtc,
  uart,
} from '@vmexit/chipset'
import { createMachine, type Part } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { pci } from '@vmexit/pci'
import { createModel, x86 } from '@vmexit/x86'
import { Console } from './console.ts'
import { loaderOf, tablesOf } from './loader.ts'
import type { PcOptions } from './options.ts'
import { Pc } from './pc.ts'

/** Port to which SeaBIOS prints what it does. */
const firmwareDebugPort = 0x402

/**
 * About what the interpreter does in a second, so that the clock of a busy guest neither races nor lags. A higher rate
 * also makes a guest that waits by counting, as kernels do while they boot, execute more: Debian's boot to /init has
 * 4.5 · 10^9 instructions at 10^9 in a second, and 4.1 · 10^9 here.
 */
const defaultFrequency = 250_000_000

/**
 * Composes a PC and puts what it boots into its memory. Throws a `VmexitError`: of whatever is wrong with an option or
 * an image, by name.
 */
export async function createPc(options: PcOptions): Promise<Pc> {
  const { engine, model = 'pentium-m', interruptController = 'apic', time, devices = [] } = options
  const withApic = interruptController === 'apic'
  const console = new Console(() => machine.of(serial))
  const serial = uart({
    onTransmit: (bytes) => console.transmit(bytes),
    onDrain: () => console.drain(),
    
  })
  const keyboard = keyboardController()
  const exit = exitPort()
  const power = acpiPower()
  const log: number[] = []
  const onText = (bytes: Uint8Array) => void log.push(...bytes)
  const withFirmware = 'bios' in options || 'rom' in options
  const booted = guest(loaderOf(options, { tables: tablesOf(options), screen: undefined }))
  const parts: Part[] = [
    withApic ? apic() : pic(),
    pci({ configured: !withFirmware }),
    pit(),
    rtc({ ...(time === undefined ? {} : { epoch: time }), bootOrder: options.bootOrder }),
    serial,
    keyboard,
    power,
    fwCfg(),
    debugConsole({ onText }),
    debugConsole({ port: firmwareDebugPort, onText }),
    postPort(),
    exit,
    ...devices,
    booted,
  ]
  const machine = await createMachine(
    {
      memory: ram(options.memory ?? '128 MiB'),
      cpu: x86({
        ...(engine === undefined ? {} : { engine }),
        model: createModel(model, withApic ? {} : { features: { apic: false } }),
      }),
      devices: parts,
    },
    { frequency: options.frequency ?? defaultFrequency },
  )
  return new Pc({
    machine,
    console,
    keyboard: machine.of(keyboard),
    exitPort: machine.of(exit),
    power: machine.of(power),
    bootImage: machine.of(booted).image,
    model,
    firmwareLog: () => Uint8Array.from(log),
  })
}
