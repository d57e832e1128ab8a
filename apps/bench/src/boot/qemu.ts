/** The guest in QEMU, translated by TCG in one thread. QEMU is a process of its own, looked at from here. */
import { spawn, spawnSync } from 'node:child_process'
import { VmexitError } from '@vmexit/core'
import { type Guest, load, MEBIBYTES, timelineOf } from './guest.ts'
import { ProcessorClock, peakMemoryOf } from './process.ts'
import type { BootRecord } from './timeline.ts'

const PROGRAM = 'qemu-system-i386'

/** What to do where there is no QEMU. */
export const QEMU_REMEDY =
  'on Linux install it (Debian, Ubuntu: apt-get install qemu-system-x86); elsewhere leave qemu-tcg out of --systems'

/** QEMU's version; undefined where it cannot be measured. */
export function qemuVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const { stdout } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' })
  return /version (\S+)/.exec(stdout ?? '')?.[1]
}

/** QEMU's arguments. No devices but the serial port: nothing else is to cost it time. */
export function qemuArguments({ kernel, initrd, append }: Guest): string[] {
  const machine = ['-accel', 'tcg,thread=single', '-smp', '1', '-m', `${MEBIBYTES}`, '-nodefaults', '-no-reboot']
  return [...machine, '-display', 'none', '-serial', 'stdio', '-kernel', kernel, '-initrd', initrd, '-append', append]
}

/** Times are those at which lines arrive here. @throws VmexitError `bench-system` if QEMU does not start. */
export async function bootQemu(guest: Guest): Promise<BootRecord> {
  for (const path of [guest.kernel, guest.initrd]) load(path)
  const child = spawn(PROGRAM, qemuArguments(guest), { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = new Promise<never>((_, reject) => child.on('error', reject))
  const ended = new Promise((resolve) => child.on('close', resolve))
  const clock = new ProcessorClock(child.pid ?? 0)
  const lines = timelineOf(
    'qemu-tcg',
    () => 0,
    () => clock.read(),
  )
  let peak = 0
  child.stdout.on('data', (bytes: Uint8Array) => {
    lines.feed(bytes)
    peak = Math.max(peak, peakMemoryOf(child.pid!))
    if (lines.done) child.kill('SIGKILL')
  })
  try {
    await Promise.race([ended, failed])
  } catch (cause) {
    throw new VmexitError('bench-system', { problem: `${PROGRAM} does not start`, remedy: QEMU_REMEDY, cause })
  }
  return lines.finish(peak)
}
