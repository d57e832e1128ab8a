/** What a PC is made of, as one object: the same for the library, the command line and a JSON document. */
import type { BlockDevice } from '@vmexit/block'
import type { Loader } from '@vmexit/boot'
import type { BootDevice } from '@vmexit/chipset'
import type { Part } from '@vmexit/core'
import type { Engine, EngineChoice, ModelName, VmxFeatures } from '@vmexit/x86'
import type { PcTechnique } from './techniques.ts'

/** Linux by its boot protocol: a bzImage, or an ELF `vmlinux`. */
export interface LinuxBoot {
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array | undefined
  /** The kernel's command line. */
  readonly append?: string | undefined
}

/** A Multiboot 1 kernel. */
export interface MultibootBoot {
  readonly multiboot: Uint8Array
  readonly modules?: readonly { readonly bytes: Uint8Array; readonly cmdline?: string }[] | undefined
  readonly append?: string | undefined
}

/** A BIOS, which boots from the disks. */
export interface BiosBoot {
  readonly bios: Uint8Array
  /** The option ROM of the display. */
  readonly vgaBios?: Uint8Array | undefined
}

/** A raw ROM, below 1 MiB and below 4 GiB, which begins at the reset vector. */
export interface RomBoot {
  readonly rom: Uint8Array
}

/** A loader of one's own. */
export interface LoaderBoot {
  readonly loader: Loader
}

/** The hardware of a PC. */
export interface PcHardware {
  /** Bytes, or text such as `'64 MiB'`; 128 MiB unless stated. */
  readonly memory?: number | string | undefined
  /**
   * The JIT where there is WebAssembly, unless stated: a name, or what `jit({ … })` of `@vmexit/jit` makes. Counts are equal
   * under each. Software emulation never translates: `reference` makes its interpreter decode each instruction anew.
   */
  readonly engine?: Engine | EngineChoice | undefined
  /** What CPUID says; `pentium-m` unless stated. */
  readonly model?: ModelName | undefined
  /**
   * VT-x in the CPU, for a guest that is a hypervisor itself: `true`, or what it has beside the basics. Not in VMs: their guests find a CPU
   * without it.
   */
  readonly vmx?: boolean | Partial<VmxFeatures> | undefined
  /** Instructions in a virtual second, which is also the TSC's rate; 100 million unless stated. */
  readonly frequency?: number | undefined
  /** Local APIC and I/O APIC beside the 8259s, or only those; `apic` unless stated. */
  readonly interruptController?: 'apic' | 'pic' | undefined
  /** Disks, the first one `hda` or `sda` to Linux; at most four drives with the CD. */
  readonly disks?: readonly BlockDevice[] | undefined
  /** A CD drive and what is in it, or `'empty'`. */
  readonly cd?: BlockDevice | 'empty' | undefined
  /** Floppy drives A and B and what is in them. */
  readonly floppies?: readonly BlockDevice[] | undefined
  /** What a BIOS tries, in this order. */
  readonly bootOrder?: readonly BootDevice[] | undefined
  /** The display: text of 80 by 25 unless stated, a linear framebuffer, or none. A VM under `vtx` has none yet. */
  readonly display?:
    | 'text'
    | 'none'
    | { readonly width: number; readonly height: number; readonly depth: 16 | 24 | 32 }
    | undefined
  /** The real-time clock at power-on, in seconds since 1970 UTC; 2020-01-01 unless stated. Never the host's time. */
  readonly time?: number | undefined
  /** Seeds whatever is random in the machine: the random seed that Linux is given. 0 unless stated. */
  readonly seed?: number | undefined
  /** Devices of one's own, and other parts. */
  readonly devices?: readonly Part[] | undefined
}

/** What a PC boots. */
export type PcBoot = LinuxBoot | MultibootBoot | BiosBoot | RomBoot | LoaderBoot

/** A whole PC: what it boots, on which hardware, and how it shares the machine. */
export type PcOptions = PcHardware & PcBoot & PcTechnique
