/**
 * Records host vectors: `node --conditions=@vmexit/source test/host/record.ts`, on an x86-64 host with Linux, as root (memory
 * below 64 KB), with gcc and its 32-bit support (Debian: gcc-multilib). Writes `vectors/host/`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { Vector } from '../../src/index.ts'
import { applyRegisters, type Sequence, Writer } from './format.ts'
import { coveredRows, formsOf } from './forms.ts'
import type { Bits } from './generate/encode.ts'
import { sequence } from './generate/sequence.ts'
import { single } from './generate/single.ts'
import { createUserState, fillState } from './input.ts'
import { buildRunner, runOnHost } from './runner.ts'

/** By width of code: vectors of each form by itself, and sequences. */
const COUNTS = {
  16: { perForm: 5, sequences: 5000 },
  32: { perForm: 20, sequences: 26_000 },
  64: { perForm: 20, sequences: 26_000 },
} as const
const SEED = 0x7e57_0000

const folder = fileURLToPath(new URL('../../vectors/host/', import.meta.url))

function singles(bits: Bits): Sequence[] {
  const all: Sequence[] = []
  let seed = SEED + bits * 0x10_0000
  for (const row of coveredRows(bits)) {
    for (const [name, form] of formsOf(row, bits)) {
      for (let i = 0; i < COUNTS[bits].perForm; i++) all.push(single({ row, name, ...form }, bits, seed++))
    }
  }
  return all
}
function sequences(bits: Bits): Sequence[] {
  return Array.from({ length: COUNTS[bits].sequences }, (_, i) => sequence(bits, SEED + bits * 0x100_0000 + i))
}

/** Run and write; a sequence that leaves its page says nothing and is dropped. */
function record(runner: string, name: string, bits: Bits, all: readonly Sequence[]): void {
  const writer = new Writer()
  const width = bits === 64 ? 8 : 4
  let kept = 0
  let i = 0
  for (const outcome of runOnHost(runner, all, bits)) {
    const one = all[i++]!
    if (outcome.vector === Vector.PF) continue
    const before = createUserState()
    fillState(one.seed, before, bits)
    applyRegisters(one, before)
    writer.sequence(one, width)
    writer.outcome(outcome, before, width)
    kept++
  }
  const bytes = writer.bytes()
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  })
  writeFileSync(join(folder, `${name}-${bits}.bin.br`), packed)
  console.log(`${name} of ${bits} bits: ${kept} of ${all.length} kept, ${bytes.length} bytes, ${packed.length} packed`)
}

const temporary = mkdtempSync(join(tmpdir(), 'host-vectors-'))
try {
  for (const bits of [16, 32, 64] as const) {
    const runner = buildRunner(temporary, bits === 64)
    record(runner, 'single', bits, singles(bits))
    record(runner, 'sequence', bits, sequences(bits))
  }
} finally {
  rmSync(temporary, { recursive: true })
}
