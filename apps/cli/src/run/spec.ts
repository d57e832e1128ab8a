/**
 * What a container is to be, as JSON: made of flags, kept in its folder, and turned into the library's options at one place, here.
 * Each group of flags has a file of its own: `…Flags` adds them to a command, `…Part` is what is kept of them, `…Options` is what the
 * library is told.
 */
import type { ContainerHost, ContainerOptions } from '@vmexit/container'
import type { Image } from '@vmexit/image'
import type { Command } from 'commander'
import { type LimitFlags, type LimitPart, limitFlags, limitOptions, limitPart } from './limit-flags.ts'
import { type MachinePart, machineFlags, machinePart } from './machine-flags.ts'
import { type NetworkFlags, type NetworkPart, networkFlags, networkPart } from './network-flags.ts'
import { type ProgramFlags, type ProgramPart, programFlags, programOptions, programPart } from './program-flags.ts'
import {
  type SecurityFlags,
  type SecurityPart,
  securityFlags,
  securityOptions,
  securityPart,
} from './security-flags.ts'
import { type VolumeFlags, type VolumePart, volumeFlags, volumeOptions, volumePart } from './volume-flags.ts'

/** What a container is to be. It is kept: what is added later may be absent. */
export interface ContainerSpec extends ProgramPart, LimitPart, NetworkPart, SecurityPart, VolumePart {
  /** The image's ID, and what it was called. */
  readonly image: { readonly id: string; readonly name: string }
  readonly machine: MachinePart
  /** Whose kernel it runs on: an instance's ID. */
  readonly join?: string
  /** The end of what its first one types is the end of its input. */
  readonly once?: boolean
}

/** All flags that say what a container is to be. */
export interface SpecFlags extends ProgramFlags, LimitFlags, NetworkFlags, SecurityFlags, VolumeFlags, MachinePart {}

export function specFlags(command: Command): Command {
  for (const add of [programFlags, limitFlags, securityFlags, volumeFlags, networkFlags, machineFlags]) add(command)
  return command
}

export function specOf(image: ContainerSpec['image'], args: readonly string[], flags: SpecFlags): ContainerSpec {
  return {
    image,
    ...programPart(args, flags),
    ...limitPart(flags),
    ...securityPart(flags),
    ...volumePart(flags),
    ...networkPart(flags),
    machine: machinePart(flags),
  }
}

/** What the library is told, but for what depends on who looks on: the size of a terminal. */
export function optionsOf(spec: ContainerSpec, image: Image, host: ContainerHost): ContainerOptions {
  return {
    ...{ image, host },
    ...programOptions(spec),
    ...limitOptions(spec),
    ...securityOptions(spec),
    ...volumeOptions(spec),
  }
}
