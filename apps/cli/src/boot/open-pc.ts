/** A PC as the flags say: from what it goes on from to what it leaves behind. */
import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { createPc, type Pc, type PcRunOptions, type PcStop, packState, unpackState } from '@vmexit/vmexit'
import type { BootFlags } from './flags.ts'
import { tuneHost } from './host.ts'
import { dashed, pcOptions, readFor } from './pc-options.ts'
import { screenOf, writeScreenshot } from './screenshot.ts'

/** Disposing it disposes the PC. */
export interface OpenedPc extends AsyncDisposable {
  readonly pc: Pc
  run(options: Pick<PcRunOptions, 'signal' | 'onSlice'>): Promise<PcStop>
  /** Writes what the flags ask for at the end. */
  writeResults(): Promise<void>
}

/** Opens it. Throws a {@link VmexitError} for whatever is wrong with the flags, before anything runs. */
export async function openPc(flags: BootFlags): Promise<OpenedPc> {
  for (const flag of ['save', 'screenshot', 'firmwareLog'] as const) await mustBeWritable(flag, flags[flag])
  const options = await pcOptions(flags)
  if (flags.engine === 'jit') tuneHost()
  const pc = await createPc(options)
  try {
    if (flags.restore !== undefined) pc.restore(await readState(flags.restore))
    const screen = flags.screenshot === undefined ? undefined : screenOf(pc)
    return {
      pc,
      run: (more) =>
        pc.run({
          idle: flags.idle,
          realTime: flags.realtime ? () => performance.now() : undefined,
          onReset: flags.reboot ? 'reboot' : 'stop',
          instructions: flags.instructions,
          until: flags.until,
          ...more,
        }),
      writeResults: async () => {
        if (flags.save !== undefined) await writeFile(flags.save, await packState(pc.save()))
        if (screen !== undefined) await writeScreenshot(screen, flags.screenshot!)
        if (flags.firmwareLog !== undefined) await writeFile(flags.firmwareLog, pc.firmwareLog)
      },
      [Symbol.asyncDispose]: () => pc[Symbol.asyncDispose](),
    }
  } catch (error) {
    await pc[Symbol.asyncDispose]()
    throw error
  }
}

/** Says before a run, not after it, that its results have no place. Throws a {@link VmexitError} `boot-file`. */
async function mustBeWritable(flag: keyof BootFlags, file: string | undefined): Promise<void> {
  if (file === undefined) return
  try {
    await access(dirname(file), constants.W_OK)
  } catch (error) {
    throw new VmexitError('boot-file', {
      problem: `--${dashed(flag)}: ${file} cannot be written (${(error as Error).message})`,
      remedy: 'make its folder, or name another file',
    })
  }
}

async function readState(file: string): Promise<Parameters<Pc['restore']>[0]> {
  try {
    return await unpackState(await readFor('restore', file))
  } catch (error) {
    if (!(error instanceof VmexitError) || error.code === 'boot-file') throw error
    throw new VmexitError(error.code, { problem: `${file}: ${error.problem}`, remedy: error.remedy })
  }
}
