/** The boot loader for what a PC is to boot, told of the PC's tables and screen. */
const multiboot: any = 0, rom: any = 0
import { type Loader, linux, type PlacedTable, type Screen } from '@vmexit/boot'
import { acpiTables } from '@vmexit/chipset'
import type { PcOptions } from './options.ts'

/** What a kernel that no firmware starts must be told. */
export interface Surroundings {
  /** ACPI's tables. */
  readonly tables: readonly PlacedTable[]
  readonly screen: Screen | undefined
}

/** ACPI's tables for the parts that `compose.ts` puts together. */
export function tablesOf({ interruptController = 'apic' }: PcOptions): readonly PlacedTable[] {
  return acpiTables({ cpus: interruptController === 'apic' ? 1 : 0 })
}

/** The loader. What cannot be booted is an error of that loader when the machine is made. */
export function loaderOf(options: PcOptions, { tables, screen }: Surroundings): Loader {
  if ('kernel' in options) {
    const { kernel, initrd, append } = options
    return linux({ kernel, tables, ...defined({ initrd, append, screen }) })
  }
  if ('multiboot' in options) {
    const { multiboot: kernel, modules, append } = options
    return multiboot({ kernel, tables, ...defined({ modules, cmdline: append }) })
  }
  if ('bios' in options) return rom({ image: options.bios })
  if ('rom' in options) return rom({ image: options.rom })
  return options.loader
}

/** The fields that are not undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
