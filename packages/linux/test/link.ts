/** Two networks in one kernel, with a cable between them that is as bad as it is told to be. */
import { cable, type ImpairmentOptions, impair, type NetStack } from '@vmexit/net'
import { HostOutput, type LinuxKernel, type NetNamespace } from '../src/index.ts'

/** Its ends, which have 10.0.0.1 and 10.0.0.2. */
export function linked(kernel: LinuxKernel, options: ImpairmentOptions): [NetNamespace, NetNamespace] {
  const { network, ns } = kernel
  const ends: [NetNamespace, NetNamespace] = [network.newNamespace(ns.user), network.newNamespace(ns.user)]
  const ports = cable(network.clock, { queue: 10_000 })
  const bad = ports.map((port, n) => impair(network.clock, port, { ...options, seed: options.seed + n }))
  for (const [n, { stack }] of ends.entries()) configure(stack, bad[n]!, `10.0.0.${n + 1}/24`)
  return ends
}

function configure(stack: NetStack, port: Parameters<NetStack['addEthernet']>[1], address: string): void {
  const device = stack.addEthernet({ name: 'eth0' }, port)
  if (device !== undefined) stack.configure(device, address)
}

/** Starts a program in a network. What it prints comes to `text`. */
export function start(
  kernel: LinuxKernel,
  network: NetNamespace,
  args: readonly string[],
): { readonly text: string; readonly status: number | undefined } {
  const told: { text: string; status: number | undefined } = { text: '', status: undefined }
  const output = new HostOutput(kernel, (bytes) => {
    told.text += new TextDecoder().decode(bytes)
  })
  kernel.spawn({
    ...{ path: args[0]!, args, network, files: [undefined, output, output] },
    onExit: (status) => {
      told.status = status
    },
  })
  return told
}
