/** The options of a PC from the flags of the command line: files read, drives opened. */
import { readFile } from 'node:fs/promises'
import { type BlockDevice, Overlay } from '@vmexit/block'
import { openCd, openDisk } from '@vmexit/block/node'
import { concatenateArchives } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import type { PcBoot, PcOptions } from '@vmexit/vmexit'
import type { BootFlags } from './flags.ts'

const sources = ['kernel', 'multiboot', 'rom', 'bios'] as const

/** What can be said only together with something else. */
const dependencies: readonly (readonly [flag: keyof BootFlags, needs: readonly (keyof BootFlags)[]])[] = [
  ['initrd', ['kernel']],
  ['append', ['kernel', 'multiboot']],
  ['module', ['multiboot']],
  ['vgaBios', ['bios']],
  ['bootOrder', ['bios']],
]

/** Reads what the flags name. Throws a {@link VmexitError} `boot-options` for flags that do not go together. */
export async function pcOptions(flags: BootFlags): Promise<PcOptions> {
  check(flags)
  const { memory, engine, model, interruptController, display, frequency, time, seed, bootOrder } = flags
  return {
    ...(await bootOf(flags)),
    memory,
    engine,
    model,
    interruptController,
    display,
    frequency,
    time,
    seed,
    bootOrder,
    disks: (flags.disk ?? []).map((file) => drive(file, flags.snapshot === true)),
    cd: flags.cd === undefined ? undefined : openCd(flags.cd),
    floppies: (flags.floppy ?? []).map((file) => drive(file, flags.snapshot === true)),
  }
}

function check(flags: BootFlags): void {
  const given = sources.filter((source) => flags[source] !== undefined)
  const problems: string[] = []
  if (given.length !== 1) {
    problems.push(
      given.length === 0 ? 'there is nothing to boot' : `there is ${given.map((name) => `--${name}`).join(' and ')}`,
    )
  }
  for (const [flag, needs] of dependencies) {
    if (flags[flag] === undefined) continue
    if (!needs.some((other) => flags[other] !== undefined))
      problems.push(`--${dashed(flag)} goes with --${needs.map(dashed).join(' or --')}`)
  }
  if (problems.length === 0) return
  throw new VmexitError('boot-options', {
    problem: problems.join('; '),
    remedy:
      given.length === 1
        ? 'leave it out, or give what it goes with'
        : 'give one of --kernel, --multiboot, --rom, --bios',
  })
}

const dashed = (flag: string): string => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

async function bootOf(flags: BootFlags): Promise<PcBoot> {
  const { kernel, initrd, append, multiboot, module, rom, bios, vgaBios } = flags
  const read = async (file: string | undefined) => (file === undefined ? undefined : await readFile(file))
  if (kernel !== undefined) {
    const disks = await Promise.all((initrd ?? []).map((file) => readFile(file)))
    return {
      kernel: await readFile(kernel),
      initrd: disks.length > 0 ? concatenateArchives(...disks) : undefined,
      append,
    }
  }
  if (multiboot !== undefined) {
    const modules = (module ?? []).map(async (text) => {
      const [file = ''] = text.split(' ', 1)
      return { bytes: await readFile(file), cmdline: text }
    })
    return { multiboot: await readFile(multiboot), modules: await Promise.all(modules), append }
  }
  if (rom !== undefined) return { rom: await readFile(rom) }
  return { bios: await readFile(bios!), vgaBios: await read(vgaBios) }
}

/** A drive's contents: the file, or an overlay on it. */
function drive(file: string, snapshot: boolean): BlockDevice {
  return snapshot ? new Overlay(openDisk(file)) : openDisk(file, { writable: true })
}
