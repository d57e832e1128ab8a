/** Runs sequences on the host's processor, by `vectors/host/runner.c`. */
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { applyRegisters, initialPage, type Outcome, type Patch, type Sequence } from './format.ts'
import { CODE, createUserState, fillState, PAGE } from './input.ts'

const ITEM = 8 + 16 * 8 + 8 + 512 + 256 + PAGE
const OUTCOME = 8 + 16 + 16 * 8 + 8 + 512 + PAGE
const BATCH = 2000
const source = fileURLToPath(new URL('../../vectors/host/runner.c', import.meta.url))
const FLAGS = [
  '-O1',
  '-mno-red-zone',
  '-ffreestanding',
  '-fno-stack-protector',
  '-nostdlib',
  '-static',
  '-fno-pie',
  '-no-pie',
]

/** Compile the runner into `folder`, for 64-bit code or for 32- and 16-bit code. */
export function buildRunner(folder: string, wide: boolean): string {
  const out = join(folder, wide ? 'runner64' : 'runner32')
  const mode = wide ? [] : ['-m32', '-I/usr/include/x86_64-linux-gnu']
  execFileSync('gcc', [...FLAGS, ...mode, source, '-o', out])
  return out
}

function item(sequence: Sequence, bits: 16 | 32 | 64, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength)
  const state = createUserState()
  fillState(sequence.seed, state, bits)
  applyRegisters(sequence, state)
  view.setUint32(0, sequence.code.length, true)
  view.setUint32(4, bits, true)
  for (const [i, word] of state.gpr.entries()) view.setUint32(8 + i * 4, word, true)
  view.setUint32(136, state.flags, true)
  into.set(state.fx, 144)
  into.set(sequence.code, 656)
  into.set(initialPage(sequence), 912)
}

/** What the host makes of each sequence. */
export function* runOnHost(
  runner: string,
  sequences: readonly Sequence[],
  bits: 16 | 32 | 64,
): Generator<Outcome & { address: number }> {
  for (let from = 0; from < sequences.length; from += BATCH) {
    const batch = sequences.slice(from, from + BATCH)
    const input = new Uint8Array(batch.length * ITEM)
    for (const [i, sequence] of batch.entries()) item(sequence, bits, input.subarray(i * ITEM, (i + 1) * ITEM))
    const { status, signal, stdout, error } = spawnSync(runner, {
      input,
      maxBuffer: batch.length * OUTCOME + 1,
      timeout: 60_000,
    })
    if (error || status !== 0 || stdout.length !== batch.length * OUTCOME) {
      const at = Math.floor((stdout?.length ?? 0) / OUTCOME)
      const code = Buffer.from(batch[at]?.code ?? []).toString('hex')
      throw new Error(
        `the runner ended with ${signal ?? status} at sequence ${from + at} [${code}]: ${error?.message ?? ''}`,
      )
    }
    for (const [i, sequence] of batch.entries())
      yield outcome(sequence, stdout.subarray(i * OUTCOME, (i + 1) * OUTCOME))
  }
}

function outcome(sequence: Sequence, bytes: Uint8Array): Outcome & { address: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const state = createUserState()
  for (let i = 0; i < 32; i++) state.gpr[i] = view.getUint32(24 + i * 4, true)
  state.flags = view.getUint32(152, true)
  state.fx.set(bytes.subarray(160, 160 + 416))
  const ip = view.getUint32(8, true) - CODE
  return {
    vector: view.getUint32(0, true),
    ip,
    state,
    memory: changes(initialPage(sequence), bytes.subarray(672, 672 + PAGE)),
    address: view.getUint32(16, true),
  }
}

/** Runs of bytes that are others; gaps of less than four bytes do not split a run. */
export function changes(before: Uint8Array, after: Uint8Array): Patch[] {
  const runs: { from: number; to: number }[] = []
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue
    const last = runs.at(-1)
    if (last && i - last.to < 4) last.to = i + 1
    else runs.push({ from: i, to: i + 1 })
  }
  return runs.map(({ from, to }) => ({ offset: from, bytes: after.slice(from, to) }))
}
