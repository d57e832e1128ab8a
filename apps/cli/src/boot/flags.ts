/** The options of `vmexit boot` as commander gives them. */
import type { MmuName, TechniqueName } from '@vmexit/vmexit'

/** Undefined is what was not given. */
export interface BootFlags {
  readonly kernel?: string
  readonly initrd?: readonly string[]
  readonly append?: string
  readonly multiboot?: string
  readonly module?: readonly string[]
  readonly rom?: string
  readonly bios?: string
  readonly vgaBios?: string
  readonly disk?: readonly string[]
  readonly cd?: string
  readonly floppy?: readonly string[]
  readonly bootOrder?: readonly ('disk' | 'cdrom' | 'floppy')[]
  readonly snapshot?: true
  readonly memory: string
  readonly model?: 'i386' | '486' | 'pentium' | 'pentium-m'
  readonly vmx?: boolean
  readonly engine?: 'reference' | 'interpreter' | 'jit'
  readonly interruptController: 'apic' | 'pic'
  readonly technique: TechniqueName
  readonly mmu?: MmuName
  readonly nestedPages?: '4K' | '2M'
  readonly display?: 'text' | 'none' | { readonly width: number; readonly height: number; readonly depth: 16 | 24 | 32 }
  readonly frequency?: number
  readonly time?: number
  readonly seed: number
  readonly realtime?: true
  readonly idle: 'sleep' | 'skip'
  readonly reboot: boolean
  readonly instructions?: number
  readonly until?: number
  readonly restore?: string
  readonly save?: string
  readonly screenshot?: string
  readonly firmwareLog?: string
  readonly stats?: true
  readonly json?: true
  readonly verbose?: true
  readonly detach?: true
  readonly name?: string
  readonly vms?: number
  readonly weights?: readonly number[]
}
