/** Two processes in two networks that move data over a link that loses, reorders, doubles and damages frames. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { linked, start } from '../test/link.ts'
import { compile } from '../test/native.ts'
import { kernelWith } from '../test/run.ts'
import { checkKernel } from './check.ts'

const source = join(fileURLToPath(new URL('../test', import.meta.url)), 'programs/transfer.c')
const program = compile(source, 'static')
const reason = ' (skipped: no gcc here that makes i386 programs)'
/** 4 MiB: 100 MiB take a quarter of a minute on each link. */
const kibibytes = '4096'

const links = [
  { what: 'a good link', seed: 1 },
  { what: 'one that loses 1%', seed: 2, loss: 0.01, delay: 1e6 },
  { what: 'one that reorders 5% and doubles 2%', seed: 3, reorder: 0.05, duplicate: 0.02, delay: 1e6 },
  { what: 'one that does everything', seed: 4, loss: 0.01, reorder: 0.02, duplicate: 0.01, corrupt: 0.002, delay: 5e5 },
]

describe.skipIf(program === undefined)(`a transfer${program === undefined ? reason : ''}`, () => {
  it.each(links)(
    'arrives intact over $what',
    ({ what: _what, ...link }) => {
      const kernel = kernelWith({ engine: 'jit', memory: '64 MiB' }, { '/transfer': readFileSync(program!) })
      const ends = linked(kernel, link)
      const receiver = start(kernel, ends[1], ['/transfer', 'receive', '5000'])
      kernel.step(1e6)
      const sender = start(kernel, ends[0], ['/transfer', 'send', '10.0.0.2', '5000', kibibytes])
      expect(kernel.runToEnd()).toBe('ended')
      const [, size, sum] = /^received (\d+) ([0-9a-f]{64})\n$/.exec(receiver.text) ?? []
      expect(Number(size)).toBe(Number(kibibytes) * 1024)
      expect(sender.text).toContain(`sent ${size} ${sum}\n`)
      const again = Number(/again (\d+)/.exec(sender.text)?.[1])
      expect(again > 0).toBe((link.loss ?? 0) > 0 || (link.reorder ?? 0) > 0)
      expect(checkKernel(kernel)).toEqual([])
    },
    1_000_000,
  )
})
