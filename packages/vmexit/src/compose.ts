/** The parts of a PC, wired as PCs are. */
import { applyBoot } from '@vmexit/boot'
import {
  acpiFiles,
  acpiPower,
  apic,
  debugConsole,
  dma,
  exitPort,
  floppy,
  floppyDriveFor,
  fwCfg,
  ide,
  keyboardController,
  pic,
  pit,
  postPort,
  rtc,
  uart,
} from '@vmexit/chipset'
import { createMachine, type Part } from '@vmexit/core'
import { engineNamed } from '@vmexit/jit'
import { ram } from '@vmexit/memory'
import { pci } from '@vmexit/pci'
import { vga } from '@vmexit/vga'
import { createModel, type Engine, x86 } from '@vmexit/x86'
import { Console } from './console.ts'
import { cables, floppyDrives } from './drives.ts'
import { Gathered } from './gathered.ts'
import { acpiOptionsOf, loaderOf } from './loader.ts'
import type { PcOptions } from './options.ts'
import { Pc } from './pc.ts'

/** Port to which SeaBIOS prints what it does. */
const firmwareDebugPort = 0x402

/** Where programs for PCs write how far they have come: 0x190 is a PS/2's, and that of CPU tests. */
const postPorts = [0x80, 0x84, 0x190]

/** Bytes of the firmware's log that are kept, the latest ones. */
const firmwareLogBytes = 1 << 20

/**
 * A slow clock for a fast CPU: kernels wait by counting, and count as long as the clock says. From its decompressed entry to
 * /init, Debian's kernel takes 3.4 s of the host at 250 million instructions a second, and 2.8 s at this rate.
 */
const defaultFrequency = 100_000_000
/** The JIT where there is WebAssembly. */
const fastest: Engine = typeof WebAssembly === 'undefined' ? 'reference' : 'jit'

/**
 * Composes a PC and puts what it boots into its memory. Throws a `VmexitError`: of whatever is wrong with an option or
 * an image, by name.
 */
export async function createPc(options: PcOptions): Promise<Pc> {
  const {
    engine = fastest,
    model = 'pentium-m',
    interruptController = 'apic',
    display = 'text',
    time,
    devices = [],
  } = options
  const { floppies = [], bootOrder, frequency = defaultFrequency } = options
  // A BIOS and a ROM set the hardware up by themselves.
  const configured = !('bios' in options || 'rom' in options)
  const withApic = interruptController === 'apic'

  const console = new Console(() => machine.of(serial))
  const serial = uart({ onTransmit: (bytes) => console.transmit(bytes), onDrain: () => console.drain(), configured })
  const keyboard = keyboardController({ configured })
  const exit = exitPort()
  const post = postPort({ ports: postPorts })
  const power = acpiPower()
  const adapter =
    display === 'none'
      ? undefined
      : vga({
          ...(configured && { mode: display }),
          ...('vgaBios' in options && options.vgaBios && { rom: options.vgaBios }),
        })
  const log = new Gathered(firmwareLogBytes)
  const onText = (bytes: Uint8Array) => log.add(bytes)
  const parts: Part[] = [
    withApic ? apic({ onNmi: () => machine.find('x86')?.nmi() }) : pic(),
    pci({ configured }),
    dma({ configured }),
    pit(),
    rtc({ ...(time !== undefined && { epoch: time }), bootOrder, floppies: floppies.map(floppyDriveFor) }),
    serial,
    keyboard,
    power,
    ide(cables(options)),
    floppy(floppyDrives(options)),
    ...(adapter === undefined ? [] : [adapter]),
    fwCfg({ files: acpiFiles(acpiOptionsOf(options)) }),
    debugConsole({ onText }),
    debugConsole({ port: firmwareDebugPort, onText }),
    post,
    exit,
    ...devices,
  ]
  const machine = await createMachine(
    {
      memory: ram(options.memory ?? '128 MiB'),
      cpu: x86({
        engine: typeof engine === 'string' ? engineNamed(engine) : engine,
        model: createModel(model, withApic ? {} : { features: { apic: false } }),
      }),
      devices: parts,
    },
    { frequency },
  )
  const memory = machine.find('guestMemory')!
  const cpu = machine.find('x86')!
  const screen = adapter && machine.of(adapter)
  const image = loaderOf(options, screen?.describe())(memory)
  const boot = () => applyBoot(image, { memory, cpu })
  boot()
  return new Pc({
    machine,
    console,
    keyboard: machine.of(keyboard),
    exitPort: machine.of(exit),
    power: machine.of(power),
    post: machine.of(post),
    screen: screen?.screen,
    bootImage: image,
    boot,
    model,
    firmwareLog: () => log.bytes,
  })
}
