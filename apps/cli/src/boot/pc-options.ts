/** The options of a PC from the flags of the command line: files read, drives opened. */
import { readFile } from 'node:fs/promises'
import { type BlockDevice, isQcow2, Overlay } from '@vmexit/block'
import { openCd, openDisk, openFile, openQcow2 } from '@vmexit/block/node'
import { concatenateArchives } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import { jit } from '@vmexit/jit'
import type { PcBoot, PcOptions, PcTechnique } from '@vmexit/vmexit'
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

/** Sizes as flags have them, and as the library has. */
const nestedSizes = { '4K': '4 KiB', '2M': '2 MiB' } as const

/** Reads what the flags name. Throws a {@link VmexitError} `boot-options` for flags that do not go together. */
export async function pcOptions(flags: BootFlags): Promise<PcOptions> {
  check(flags)
  const { memory, engine, model, vmx, interruptController, display, frequency, time, seed, bootOrder } = flags
  const { technique, mmu, nestedPages } = flags
  return {
    ...(await bootOf(flags)),
    // Whether they go together is the library's to say.
    ...({ technique, mmu, nestedPages: nestedPages && nestedSizes[nestedPages] } as PcTechnique),
    memory,
    engine: engine === 'jit' ? jit({ now: () => performance.now() }) : engine,
    model,
    vmx,
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

/** A flag as it is typed. */
export const dashed = (flag: string): string => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

async function bootOf(flags: BootFlags): Promise<PcBoot> {
  const { kernel, initrd = [], append, multiboot, module = [], rom, bios, vgaBios } = flags
  if (kernel !== undefined) {
    const disks = await Promise.all(initrd.map((file) => readFor('initrd', file)))
    return {
      kernel: await readFor('kernel', kernel),
      initrd: disks.length > 0 ? concatenateArchives(...disks) : undefined,
      append,
    }
  }
  if (multiboot !== undefined) {
    const modules = module.map(async (text) => {
      const [file = ''] = text.split(' ', 1)
      return { bytes: await readFor('module', file), cmdline: text }
    })
    return { multiboot: await readFor('multiboot', multiboot), modules: await Promise.all(modules), append }
  }
  if (rom !== undefined) return { rom: await readFor('rom', rom) }
  return {
    bios: await readFor('bios', bios!),
    vgaBios: vgaBios === undefined ? undefined : await readFor('vgaBios', vgaBios),
  }
}

/** Reads the file that a flag names. Throws a {@link VmexitError} `boot-file`. */
export async function readFor(flag: keyof BootFlags, file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new VmexitError('boot-file', {
      problem: `--${dashed(flag)}: ${file} cannot be read (${(error as Error).message})`,
      remedy: 'check its name, and that you may read it',
    })
  }
}

/** A drive's contents: the file, raw or qcow2, or an overlay on it. Throws a {@link VmexitError} `boot-disk`. */
function drive(file: string, snapshot: boolean): BlockDevice {
  if (!beginsAsQcow2(file)) return snapshot ? new Overlay(openDisk(file)) : openDisk(file, { writable: true })
  if (snapshot) return new Overlay(openQcow2(file))
  throw new VmexitError('boot-disk', {
    problem: `${file} is a qcow2 image, which can only be read`,
    remedy: 'add --snapshot, which keeps what the guest writes in memory, or convert it: qemu-img convert -O raw',
  })
}

function beginsAsQcow2(file: string): boolean {
  using store = openFile(file)
  return isQcow2(store)
}
