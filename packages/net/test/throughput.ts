/**
 * Moves bytes between two stacks and prints what it took: `throughput.ts [megabytes] [loss] [reorder] [duplicate] [seed]`.
 * The figures in the README are from here.
 */
import { connected, noise, pair, run, sameBytes, transfer } from './hosts.ts'

const [megabytes = 100, loss = 0, reorder = 0, duplicate = 0, seed = 1, mtu = 1500] = process.argv.slice(2).map(Number)
const impaired = loss + reorder + duplicate > 0
const hosts = pair({ mtu, ...(impaired && { seed, loss, reorder, duplicate, delay: 1e6 }) })
const { client, server } = connected(hosts)
const sent = noise(megabytes * 1024 * 1024)
const before = process.cpuUsage()
const arrived = transfer(hosts.clock, client, server, sent, 1e15)
const { user, system } = process.cpuUsage(before)
const { segments, retransmitted, fastRetransmits, timeouts } = client.info
const frames = hosts.a.devices.concat(hosts.b.devices).reduce((sum, { counters }) => sum + counters.txPackets, 0)
run(hosts.clock, () => false, 1e9)
console.log({
  intact: sameBytes(arrived, sent),
  ...{ segments, retransmitted, fastRetransmits, timeouts, frames },
  virtualSeconds: hosts.clock.now / 1e9,
  cpuSeconds: (user + system) / 1e6,
  megabytesPerCpuSecond: Math.round((megabytes * 1e6) / (user + system)),
})
