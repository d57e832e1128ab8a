/** Debian's own kernels on a PC, used by hand: skipped where `vmexit guests` has not fetched them. */
import { readFileSync } from 'node:fs'
import { rawImage } from '@vmexit/block'
import { createPc, type Pc, type PcBoot, type PcHardware } from '@vmexit/vmexit'
import { describe, expect, test } from 'vitest'
import { findGuests } from '../guests/index.ts'

const guests = findGuests()
const prompt = '~ # '
/** The crypto self-tests are two thirds of a boot and none of our business here. */
const append = 'console=ttyS0 cryptomgr.notests'

/** Runs the PC while `use` types and reads, and says how the run ended. */
async function session(options: PcHardware & PcBoot, use: (pc: Pc) => Promise<void>) {
  await using pc = await createPc(options)
  const control = new AbortController()
  const ended = pc.run({ signal: control.signal, idle: 'skip' })
  // A guest that ends before it has printed what is waited for ends the wait.
  void ended.finally(() => pc.console.end())
  try {
    await use(pc)
  } finally {
    setTimeout(() => control.abort(), 10_000)
  }
  return await ended
}

/** Types a command, and returns what it printed. */
async function shell(pc: Pc, command: string): Promise<string> {
  pc.console.write(`${command}\n`)
  await pc.console.waitFor('\n')
  return (await pc.console.waitFor(prompt)).slice(0, -prompt.length).replaceAll('\r', '')
}

async function useShell(pc: Pc): Promise<void> {
  await pc.console.waitFor(prompt)
  expect(await shell(pc, 'ls -d /*')).toContain('/init')
  expect(await shell(pc, 'ps')).toMatch(/ 1 .*\{init\}/)
  expect(await shell(pc, 'grep -c ^processor /proc/cpuinfo')).toBe('1\n')
  expect(await shell(pc, 'cat /proc/cpuinfo')).toContain('GenuineIntel')
  expect(await shell(pc, 'dmesg | grep -c Linux.version')).toBe('1\n')
  expect(await shell(pc, 'seq 1000 | sort -r | head -n 1 | tr 9 x')).toBe('xxx\n')
  expect(await shell(pc, 'sleep 1000 & kill %1; wait; echo done $?')).toContain('done')
  pc.console.write('poweroff -f\n')
}

const missing = (name: string) => `skipped: no ${name}; fetch it with \`vmexit guests\``

describe.each(['linux-686', 'linux-686-pae'] as const)('%s', (name) => {
  const guest = guests[name]
  test.skipIf(guest === undefined)(
    guest === undefined ? missing(name) : 'boots to a shell, which works, and powers off',
    { timeout: 300_000 },
    async () => {
      const kernel = readFileSync(guest!.kernel)
      const initrd = readFileSync(guest!.initramfs)
      expect((await session({ kernel, initrd, append }, useShell)).reason).toBe('off')
    },
  )
})

describe('a BIOS', () => {
  const { seabios, 'debian-disk': disk, 'debian-cd': cd } = guests
  const bios = () => ({ bios: readFileSync(seabios!.bios), vgaBios: readFileSync(seabios!.vgaBios) })

  test.skipIf(seabios === undefined || disk === undefined)(
    disk === undefined ? missing('debian-disk') : 'boots GRUB, and it a kernel, from a disk',
    { timeout: 300_000 },
    async () => {
      const stop = await session({ ...bios(), disks: [rawImage(readFileSync(disk!.disk))] }, useShell)
      expect(stop.reason).toBe('off')
    },
  )

  test.skipIf(seabios === undefined || cd === undefined)(
    cd === undefined ? missing('debian-cd') : 'boots ISOLINUX, and it a kernel, from a CD',
    { timeout: 300_000 },
    async () => {
      const stop = await session({ ...bios(), cd: rawImage(readFileSync(cd!.cd), { sectorBytes: 2048 }) }, useShell)
      expect(stop.reason).toBe('off')
    },
  )
})
