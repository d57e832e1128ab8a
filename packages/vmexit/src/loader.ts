/** The boot loader for what a PC is to boot, told of the PC's tables and screen. */
import { type Loader, linux, multiboot, rom, type Screen } from '@vmexit/boot'
import { type AcpiTablesOptions, acpiTables } from '@vmexit/chipset'
import { pciDescription } from '@vmexit/pci'
import type { PcBoot, PcHardware } from './options.ts'

/** What ACPI is to say of the parts that `compose.ts` puts together. */
export function acpiOptionsOf({ interruptController = 'apic' }: PcHardware): AcpiTablesOptions {
  return { cpus: interruptController === 'apic' ? 1 : 0, pci: pciDescription() }
}

/** The loader. What cannot be booted is an error of that loader when the machine is made. */
export function loaderOf(options: PcHardware & PcBoot, screen: Screen | undefined): Loader {
  if ('kernel' in options) {
    const { kernel, initrd, append, seed = 0 } = options
    const tables = acpiTables(acpiOptionsOf(options))
    return linux({
      kernel,
      tables,
      randomSeed: randomBytes(seed, 32),
      ...(initrd && { initrd }),
      ...(append && { append }),
      ...(screen && { screen }),
    })
  }
  if ('multiboot' in options) {
    const { multiboot: kernel, modules, append } = options
    const tables = acpiTables(acpiOptionsOf(options))
    return multiboot({ kernel, tables, cmdline: append ?? '', ...(modules && { modules }), ...(screen && { screen }) })
  }
  if ('bios' in options) return rom({ image: options.bios })
  if ('rom' in options) return rom({ image: options.rom })
  return options.loader
}

/** As many bytes as are asked for, which depend on `seed` alone: the output of splitmix in 32 bits. */
function randomBytes(seed: number, count: number): Uint8Array {
  let state = seed >>> 0
  return Uint8Array.from({ length: count }, () => {
    state = (state + 0x9e37_79b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) & 0xff
  })
}
