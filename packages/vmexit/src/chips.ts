/** The chips of a PC and what is at its ports: the same whether they are a machine's or a VM's. */
import {
  type AcpiPowerApi,
  acpiFiles,
  acpiPower,
  apic,
  debugConsole,
  dma,
  type ExitPortApi,
  exitPort,
  floppy,
  floppyDriveFor,
  fwCfg,
  ide,
  type KeyboardControllerApi,
  keyboardController,
  type PostPortApi,
  pic,
  pit,
  postPort,
  rtc,
  uart,
} from '@vmexit/chipset'
import type { Part, System } from '@vmexit/core'
import { pci } from '@vmexit/pci'
import { type VgaApi, vga } from '@vmexit/vga'
import { Console } from './console.ts'
import { cables, floppyDrives } from './drives.ts'
import { Gathered } from './gathered.ts'
import { acpiOptionsOf } from './loader.ts'
import type { PcBoot, PcHardware } from './options.ts'

/** Port to which SeaBIOS prints what it does. */
const firmwareDebugPort = 0x402

/** Where programs for PCs write how far they have come: 0x190 is a PS/2's, and that of CPU tests. */
const postPorts = [0x80, 0x84, 0x190]

/** Bytes of the firmware's log that are kept, the latest ones. */
const firmwareLogBytes = 1 << 20

/** Parts for a list of devices, and what is reached of them where they have been composed. */
export interface Chips {
  readonly parts: readonly Part[]
  readonly console: Console
  readonly firmwareLog: () => Uint8Array
  keyboard(): KeyboardControllerApi
  exitPort(): ExitPortApi
  power(): AcpiPowerApi
  post(): PostPortApi
  /** Undefined where there is no display. */
  display(): VgaApi | undefined
}

/** The chips of one PC. `system`: what they have been composed into, asked only after that. */
export function pcChips(options: PcHardware & PcBoot, system: () => System): Chips {
  const { interruptController = 'apic', display = 'text', time, devices = [], floppies = [], bootOrder } = options
  // A BIOS and a ROM set the hardware up by themselves.
  const configured = !('bios' in options || 'rom' in options)

  const console = new Console(() => system().of(serial))
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
  return {
    parts: [
      interruptController === 'apic' ? apic({ onNmi: () => system().find('cpu')?.nmi?.() }) : pic(),
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
    ],
    console,
    firmwareLog: () => log.bytes,
    keyboard: () => system().of(keyboard),
    exitPort: () => system().of(exit),
    power: () => system().of(power),
    post: () => system().of(post),
    display: () => adapter && system().of(adapter),
  }
}
