/**
 * Counts what the kernel does to the machine for each kind of event, instruction by instruction: the table of the
 * README. Builds the kernel with symbols for that. Needs gcc with -m32 and nm.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPc } from '@vmexit/vmexit'
import { BUILDS, testArchive } from '../../test/kernel.ts'

const EVENTS: Readonly<Record<number, string>> = {
  1: 'null system call (getpid)',
  2: 'two context switches (a byte there and back by pipes)',
  3: 'page fault, a page of zeros',
  4: 'fork with 64 private pages and its own',
  5: 'page fault, copy of a shared page',
  6: 'page fault, the last sharer keeps its page',
  7: 'mprotect of one page',
  8: 'mprotect of 16 pages',
  9: 'munmap of 16 pages',
  10: 'fork’s child: execve, its run, exit; the parent’s wait',
}
/** The marker itself, which is part of every other count and is taken off. */
const NOTHING = 98
const MARKER = 64
const KERNEL = 0xc000_0000

/** Instructions by their bytes. */
const kindOf = (bytes: readonly number[]): string | undefined => {
  const [a, b, c] = bytes as [number, number, number]
  if (a === 0xcd) return 'INT'
  if (a === 0xcf) return 'IRET'
  if (a === 0xfa || a === 0xfb) return 'CLI, STI'
  if (a === 0xf4) return 'HLT'
  if ((a >= 0xe4 && a <= 0xe7) || (a >= 0xec && a <= 0xef)) return 'IN, OUT'
  if (a !== 0x0f) return undefined
  if (b === 0x22) return `to CR${(c >> 3) & 7}`
  if (b === 0x20) return `from CR${(c >> 3) & 7}`
  if (b === 0x01 && ((c >> 3) & 7) === 7) return 'INVLPG'
  if (b === 0x06) return 'CLTS'
  return undefined
}

async function count(image: string): Promise<void> {
  const symbols = execFileSync('nm', [image], { encoding: 'utf8' }).split('\n')
  const setPte = Number.parseInt(symbols.find((line) => line.endsWith(' set_pte'))!, 16)
  await using pc = await createPc({
    multiboot: new Uint8Array(readFileSync(image)),
    modules: [{ bytes: testArchive() }],
    append: '-- events',
    engine: 'reference',
    memory: '32 MiB',
    display: 'none',
  })
  const { state } = pc.machine.find('x86')!
  const memory = pc.machine.find('guestMemory')!
  let counts = new Map<string, number>()
  let nothing: ReadonlyMap<string, number> = counts
  let event = 0
  let start = 0
  const add = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  for (;;) {
    const ip = state.ip >>> 0
    if (ip >= KERNEL) {
      const kind = kindOf([0, 1, 2].map((n) => memory.read8(ip - KERNEL + n)))
      if (kind !== undefined) add(kind)
      if (ip === setPte) add('set_pte')
    } else if ((state.reg32(0) & 0xffff) === MARKER && state.reg32(6) < 100) {
      // A marker: seen once at its INT, since what follows has another EAX.
      const next = state.reg32(6)
      const before = pc.counts.instructions
      await pc.run({ instructions: 1 })
      if (state.ip >>> 0 >= KERNEL) {
        counts.set('instructions', before - start)
        if (event === NOTHING) nothing = counts
        if (event in EVENTS) {
          const without = [...counts].map(([what, n]) => [what, n - (nothing.get(what) ?? 0)] as const)
          console.log(`${EVENTS[event]}: ${without.map(([what, n]) => `${what} ${n}`).join(', ')}`)
        }
        event = next
        start = before
        counts = new Map()
      }
      continue
    }
    const stop = await pc.run({ instructions: 1, idle: 'skip' })
    if (stop.reason !== 'limit') return
  }
}

const folder = mkdtempSync(join(tmpdir(), 'events-'))
execFileSync(join(import.meta.dirname, '../build.sh'), [folder], { env: { ...process.env, SYMBOLS: '1' } })
for (const build of BUILDS) {
  console.log(`\n${build}`)
  await count(join(folder, `${build}.elf`))
}
rmSync(folder, { recursive: true })
