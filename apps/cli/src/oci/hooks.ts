/** Hooks that run on the host (runtime-spec, "POSIX-platform Hooks"): each is told the container's state on its standard input. */
import { spawnSync } from 'node:child_process'
import type { OciHook } from '@vmexit/container/oci'
import { VmexitError } from '@vmexit/core'
import type { OciState } from './state.ts'

/** Runs them in order. @throws VmexitError `oci-hook` by the first that fails. */
export function runHooks(hooks: readonly OciHook[] = [], state: OciState): void {
  for (const { path, args = [path], env = [], timeout } of hooks) {
    const ran = spawnSync(path, args.slice(1), {
      argv0: args[0] ?? path,
      env: Object.fromEntries(env.map((text) => text.split(/=(.*)/s, 2) as [string, string])),
      input: JSON.stringify(state),
      stdio: ['pipe', 'ignore', 'pipe'],
      ...(timeout !== undefined && { timeout: timeout * 1000 }),
    })
    if (ran.error === undefined && ran.status === 0) continue
    const why = ran.error?.message ?? `it ended with ${ran.status ?? ran.signal}: ${ran.stderr}`
    throw new VmexitError('oci-hook', {
      problem: `the hook ${path} failed (${why.trim()})`,
      remedy: 'see to it, or leave it out',
    })
  }
}
