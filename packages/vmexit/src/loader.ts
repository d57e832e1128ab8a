/** The boot loader for what a PC is to boot, told of the PC's tables and screen. */
import { type Loader, linux, multiboot, rom, type Screen } from '@vmexit/boot'
import { type AcpiTablesOptions, acpiTables } from '@vmexit/chipset'
import type { PcOptions } from './options.ts'

/** What ACPI is to say of the parts that `compose.ts` puts together. */
export function acpiOptionsOf({ interruptController = 'apic' }: PcOptions): AcpiTablesOptions {
  return { cpus: interruptController === 'apic' ? 1 : 0 }
}

/** The loader. What cannot be booted is an error of that loader when the machine is made. */
export function loaderOf(options: PcOptions, screen: Screen | undefined): Loader {
  if ('kernel' in options) {
    const { kernel, initrd, append } = options
    const tables = acpiTables(acpiOptionsOf(options))
    return linux({ kernel, tables, ...(initrd && { initrd }), ...(append && { append }), ...(screen && { screen }) })
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
