/** What host processes can be asked to run, by name. Each is loaded when it is opened: a container needs no PC. */
import type { BootFlags } from './boot/flags.ts'
import type { OpenHosted } from './hosted/hosted.ts'
import type { ContainerSpec } from './run/spec.ts'

export const kinds: Readonly<Record<'vm' | 'container' | 'network', OpenHosted>> = {
  vm: async (options) => {
    const flags = options as BootFlags
    if (flags.vms !== undefined) return (await import('./boot/boot-several.ts')).hostedSeveral(flags)
    return (await import('./boot/hosted-pc.ts')).hostedPc(flags)
  },
  network: async (options) => (await import('./networks/hosted-network.ts')).hostedNetwork(options),
  container: async (options, where) =>
    (await import('./run/hosted-container.ts')).hostedContainer(options as ContainerSpec, where),
}
