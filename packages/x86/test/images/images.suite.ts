/**
 * The system part of the CPU against Bochs: bare-metal images (sources in `tools/system-images`) print what thousands of
 * cases of gates, returns, transfers, tasks, virtual-8086 mode, paging, limits, selectors and debugging come to, and each line must
 * be Bochs's, but for the differences that are listed one by one, each with its reason.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { EngineChoice } from '../../src/index.ts'
import { nameOf } from '../engine.ts'
import { REASONS } from './differences.ts'
import { runImage } from './machine.ts'

const folder = new URL('../../vectors/system/', import.meta.url)
const unpack = (name: string): Buffer => gunzipSync(readFileSync(new URL(name, folder)))

/** At `line` of what Bochs prints, `remove` lines are `insert` with us. */
interface Difference {
  readonly line: number
  readonly remove: number
  readonly insert: readonly string[]
  readonly why: string
}
const differences = JSON.parse(readFileSync(new URL('differences.json', folder), 'utf8')) as Record<
  string,
  Difference[]
>
const images = readdirSync(folder)
  .filter((name) => name.endsWith('.rom.gz'))
  .map((name) => name.slice(0, -'.rom.gz'.length))

/** Cases of each image, and how many lines differ from Bochs: neither changes unnoticed. */
const CASES: Readonly<Record<string, readonly [cases: number, different: number]>> = {
  gates: [991, 44],
  returns: [1394, 9],
  transfers: [1071, 19],
  tasks: [508, 31],
  v86: [894, 33],
  paging: [1115, 28],
  pae: [815, 0],
  selectors: [1320, 0],
  limits: [1975, 52],
  debug: [456, 24],
  units: [1223, 23],
}

/** What we are to print. */
function expected(image: string): string[] {
  const lines = unpack(`${image}.bochs.gz`).toString('latin1').split('\n')
  for (const { line, remove, insert } of differences[image]!.toReversed()) lines.splice(line, remove, ...insert)
  return lines
}

export function imagesSuite(engine: EngineChoice): void {
  describe(`images on the ${nameOf(engine)}`, () => {
    it.each(images)('%s', { timeout: 120_000 }, (image) => {
      const rom = unpack(`${image}.rom.gz`)
      const { text, outcome } = runImage(rom, engine)
      expect(outcome).toBe('end')
      const found = text.split('\n')
      const wanted = expected(image)
      const wrong = found.flatMap((line, i) => (line === wanted[i] ? [] : [{ found: line, wanted: wanted[i] }]))
      expect(wrong.slice(0, 5), `${wrong.length} lines differ`).toEqual([])
      expect(found.length).toBe(wanted.length)
    })
  })
}

/** What there is in the images themselves. */
export function imageCasesSuite(): void {
  it('lists as many cases and differences as are known, each with a reason', () => {
    const counted: Record<string, readonly [number, number]> = {}
    for (const image of images) {
      const cases = unpack(`${image}.bochs.gz`).toString('latin1').split('\n').length - 1
      counted[image] = [
        cases,
        differences[image]!.reduce((sum, { remove, insert }) => sum + Math.max(remove, insert.length), 0),
      ]
      for (const { why } of differences[image]!) expect(Object.keys(REASONS)).toContain(why)
    }
    expect(counted).toEqual(CASES)
  })
}
