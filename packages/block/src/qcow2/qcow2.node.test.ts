/** Images that qemu-img makes, where the host has it, and data that zlib compresses. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDisk, openQcow2 } from '../node.ts'
import { inflate } from './inflate.ts'

/** Some of it repeats, some does not, some is zeros. */
function sample(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let x = seed
  return Uint8Array.from({ length }, (_, i) => {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0
    const kind = (i >> 14) % 4
    return kind === 0 ? x >>> 24 : kind === 1 ? 0 : kind === 2 ? (x >>> 24) & 0x0f : (i * 3) & 0x3f
  })
}

test('whatever zlib compresses comes out again', () => {
  const { Z_FIXED, Z_HUFFMAN_ONLY, Z_DEFAULT_STRATEGY } = constants
  for (const strategy of [Z_FIXED, Z_HUFFMAN_ONLY, Z_DEFAULT_STRATEGY]) {
    for (const level of [0, 1, 6, 9]) {
      for (const length of [1, 2, 1000, 65_536, 200_000]) {
        const bytes = sample(length, level + 1)
        const into = new Uint8Array(length)
        inflate(deflateRawSync(bytes, { level, strategy }), into)
        expect(Buffer.compare(into, bytes), `level ${level}, strategy ${strategy}, ${length} bytes`).toBe(0)
      }
    }
  }
})

function hasQemuImg(): boolean {
  try {
    return execFileSync('qemu-img', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] }).length > 0
  } catch {
    return false
  }
}

const reason = hasQemuImg() ? '' : ' (skipped: there is no qemu-img on this host)'

describe.skipIf(reason)(`images of qemu-img${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-qcow2-'))
  const at = (name: string) => join(folder, name)
  const bytes = sample(3 * 2 ** 20 + 512)
  beforeAll(() => writeFileSync(at('raw'), bytes))
  afterAll(() => rmSync(folder, { recursive: true }))
  const qemuImg = (...args: string[]) => execFileSync('qemu-img', args, { cwd: folder, stdio: 'pipe' })

  test.each([
    ['version 3', ['-o', 'compat=1.1']],
    ['version 2', ['-o', 'compat=0.10']],
    ['small clusters', ['-o', 'cluster_size=512']],
    ['large clusters', ['-o', 'cluster_size=2M']],
    ['compressed', ['-c']],
    ['compressed, version 2, small clusters', ['-c', '-o', 'compat=0.10,cluster_size=4k']],
    ['compressed, large clusters', ['-c', '-o', 'cluster_size=1M']],
  ])('%s', (_, options) => {
    qemuImg('convert', '-f', 'raw', '-O', 'qcow2', ...options, 'raw', 'image')
    using disk = openQcow2(at('image'))
    expect(disk.sectors).toBe(bytes.length / 512)
    const into = new Uint8Array(bytes.length)
    disk.read(0, into)
    expect(Buffer.compare(into, bytes)).toBe(0)
    const one = new Uint8Array(512)
    for (const sector of [0, 1, 127, 128, 3000, disk.sectors - 1]) {
      disk.read(sector, one)
      expect(one).toEqual(bytes.slice(sector * 512, (sector + 1) * 512))
    }
  })

  test('an image over another', () => {
    qemuImg('create', '-q', '-f', 'qcow2', '-b', 'raw', '-F', 'raw', 'over', '4M')
    using base = openDisk(at('raw'))
    expect(() => openQcow2(at('over'))).toThrow('holds what differs from raw')
    using disk = openQcow2(at('over'), { backing: base })
    const into = new Uint8Array(4 * 2 ** 20)
    disk.read(0, into)
    expect(Buffer.compare(into.subarray(0, bytes.length), bytes)).toBe(0)
    expect(into.subarray(bytes.length).every((byte) => byte === 0)).toBe(true)
  })

  test('features that are not read here are named', () => {
    const open = (...options: string[]) => {
      qemuImg('create', '-q', '-f', 'qcow2', '-o', options.join(','), 'special', '1M')
      return openQcow2(at('special'))
    }
    expect(() => open('extended_l2=on,cluster_size=128k')).toThrow('it has subclusters')
    expect(() => open('data_file=data.raw')).toThrow('its data are in another file')
  })
})
