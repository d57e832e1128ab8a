/** Boots the teaching kernel with its test programs, or others. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createPc, type PcOptions, type PcStop } from '@vmexit/vmexit'

/** The two builds. */
export const BUILDS = ['teaching', 'teaching-pae'] as const

export interface KernelRun {
  readonly build: (typeof BUILDS)[number]
  readonly engine: 'jit' | 'interpreter' | 'reference'
  /** Names of test programs; all unless stated. */
  readonly programs?: readonly string[]
  readonly memory?: string
  readonly model?: PcOptions['model']
  /** The archive; that of the test programs unless stated. */
  readonly archive?: Uint8Array
  /** Typed when the text appears. */
  readonly answers?: readonly { readonly after: string; readonly type: string }[]
  readonly instructions?: number
  readonly onText?: (text: string) => void
}

export interface KernelResult {
  /** What the console showed, with plain line ends. */
  readonly text: string
  readonly stop: PcStop
  readonly counts: Readonly<Record<string, number>>
}

const read = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, ...path)))

/** The test programs as they are committed. */
export const testArchive = (): Uint8Array => new Uint8Array(gunzipSync(read('kernel-tests.cpio.gz')))

export const kernelImage = (build: KernelRun['build']): Uint8Array => read('../images', `${build}.elf`)

export async function runKernel(run: KernelRun): Promise<KernelResult> {
  const options: PcOptions = {
    multiboot: kernelImage(run.build),
    modules: [{ bytes: run.archive ?? testArchive() }],
    append: run.programs === undefined ? '' : `-- ${run.programs.join(' ')}`,
    engine: run.engine,
    memory: run.memory ?? '32 MiB',
    model: run.model,
    display: 'none',
  }
  await using pc = await createPc(options)
  let text = ''
  const answers = [...(run.answers ?? [])]
  pc.console.onOutput((bytes) => {
    const part = new TextDecoder('latin1').decode(bytes).replaceAll('\r\n', '\n')
    text += part
    run.onText?.(part)
    if (answers.length > 0 && text.includes(answers[0]!.after)) pc.console.write(answers.shift()!.type)
  })
  const stop = await pc.run({ idle: 'skip', onReset: 'stop', instructions: run.instructions ?? 1_000_000_000 })
  return { text, stop, counts: pc.counts as Readonly<Record<string, number>> }
}
