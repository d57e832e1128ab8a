/** What can be put into a machine and into a VM on it: each choice with the words by which a program makes it. */
import { pic, pit, uart } from '@vmexit/chipset'
import type { Part } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { nestedPaging } from '@vmexit/nested-paging'
import { pci } from '@vmexit/pci'
import { shadowPaging } from '@vmexit/shadow-paging'
import { softwareEmulation } from '@vmexit/software-emulation'
import { vga } from '@vmexit/vga'
import { vmMemory } from '@vmexit/vmm'
import { vtx } from '@vmexit/vtx'
import { x86 } from '@vmexit/x86'

/** A part that can be chosen. */
export interface PartChoice {
  /** As a program has it, and the name of the choice. */
  readonly words: string
  /** Where a program imports it from, without the scope. */
  readonly from: string
  readonly make: () => Part
}

// (The reference engine is the quickest to build, and nothing runs here.)
const engine = 'reference'

/** By slot. Of a slot one is chosen, at first the first one, or none; of `devices` any. */
// biome-ignore format: a table
export const machineChoices = {
  memory: [
    { words: "ram('16 MiB')", from: 'memory', make: () => ram('16 MiB') },
  ],
  cpu: [
    { words: 'x86({ vmx: true })', from: 'x86', make: () => x86({ vmx: true, engine }) },
    { words: 'x86()', from: 'x86', make: () => x86({ engine }) },
  ],
  devices: [
    { words: 'pic()', from: 'chipset', make: () => pic() },
    { words: 'pit()', from: 'chipset', make: () => pit() },
    { words: 'uart()', from: 'chipset', make: () => uart() },
    { words: 'pci()', from: 'pci', make: () => pci() },
    { words: 'vga()', from: 'vga', make: () => vga() },
  ],
} as const satisfies Readonly<Record<string, readonly PartChoice[]>>

// biome-ignore format: a table
export const vmChoices = {
  memory: [
    { words: "vmMemory('4 MiB')", from: 'vmm', make: () => vmMemory('4 MiB') },
    { words: "ram('4 MiB')", from: 'memory', make: () => ram('4 MiB') },
  ],
  execution: [
    { words: 'vtx()', from: 'vtx', make: () => vtx() },
    { words: 'softwareEmulation()', from: 'software-emulation', make: () => softwareEmulation() },
  ],
  mmu: [
    { words: 'nestedPaging()', from: 'nested-paging', make: () => nestedPaging() },
    { words: 'shadowPaging()', from: 'shadow-paging', make: () => shadowPaging() },
  ],
} as const satisfies Readonly<Record<string, readonly PartChoice[]>>

/** What was chosen: words by slot. */
export interface Composition {
  readonly machine: Readonly<Record<keyof typeof machineChoices, readonly string[]>>
  /** Undefined where there is no VM. */
  readonly vm: Readonly<Record<keyof typeof vmChoices, readonly string[]>> | undefined
}
