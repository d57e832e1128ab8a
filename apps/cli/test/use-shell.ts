/** What a person tries first in a guest. */
import type { Pc } from '@vmexit/vmexit'
import { expect } from 'vitest'
import { prompt, shell } from './session.ts'

/** Uses the shell from its first prompt to `poweroff -f`. */
export async function useShell(pc: Pc): Promise<void> {
  await pc.console.waitFor(prompt)
  expect(await shell(pc, 'ls -d /*')).toContain('/init')
  expect(await shell(pc, 'ps')).toMatch(/ 1 .*\{init\}/)
  expect(await shell(pc, 'grep -c ^processor /proc/cpuinfo')).toBe('1\n')
  expect(await shell(pc, 'cat /proc/cpuinfo')).toContain('GenuineIntel')
  expect(await shell(pc, 'dmesg | grep -c Linux.version')).toBe('1\n')
  expect(await shell(pc, 'seq 1000 | sort -r | head -n 1 | tr 9 x')).toBe('xxx\n')
  expect(await shell(pc, 'sleep 1000 & sleep 1; kill %1; wait; echo done')).toContain('done')
  pc.console.write('poweroff -f\n')
}
