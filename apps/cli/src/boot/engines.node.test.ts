/** A whole boot counts the same under each engine that can bear it: skipped where `vmexit guests` has fetched no kernel. */
import { readFileSync } from 'node:fs'
import { createPc } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { append, missing } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const { 'linux-686': linux } = findGuests()

/** Boots to a shell that runs a command and ends, and all of it in the end. */
async function boot(engine: 'jit' | 'interpreter') {
  const kernel = readFileSync(linux!.kernel)
  const initrd = readFileSync(linux!.initramfs)
  await using pc = await createPc({ kernel, initrd, append: `${append} -- sh -c "dmesg | md5sum"`, engine })
  let console = ''
  pc.console.onOutput((bytes) => {
    console += new TextDecoder('latin1').decode(bytes)
  })
  const { reason } = await pc.run({ idle: 'skip', until: 600 })
  return { reason, console, counts: pc.counts, engine: pc.engine }
}

test.skipIf(linux === undefined)(
  linux === undefined
    ? missing('linux-686')
    : 'the JIT and the interpreter count the same of a boot, number for number',
  { timeout: 600_000 },
  async () => {
    const [jit, interpreter] = [await boot('jit'), await boot('interpreter')]
    expect([jit.engine, interpreter.engine]).toEqual(['jit', 'interpreter'])
    expect(jit.reason).toBe('off')
    expect(jit.console).toMatch(/^[0-9a-f]{32} {2}-/m)
    expect(jit.console).toBe(interpreter.console)
    expect(jit.counts.instructions).toBeGreaterThan(1e9)
    expect(jit.counts).toEqual(interpreter.counts)
  },
)
