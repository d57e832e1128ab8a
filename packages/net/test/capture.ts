/** A short exchange, captured. */
import { pcapHeader, pcapngHeader, pcapngRecord, pcapRecord } from '../src/index.ts'
import { bytes, connected, pair, pass } from './hosts.ts'

export function capture(format: 'pcap' | 'pcapng'): Uint8Array {
  const hosts = pair()
  const parts = [format === 'pcap' ? pcapHeader() : pcapngHeader(['eth0'])]
  const record = format === 'pcap' ? pcapRecord : pcapngRecord
  hosts.a.device('eth0')?.tap((frame, direction) => {
    parts.push(record({ bytes: frame, time: hosts.clock.now, direction }))
  })
  const { client, server } = connected(hosts)
  client.send(bytes('hello'))
  pass(hosts.clock, 1e9)
  client.close()
  server.close()
  hosts.a.udpSocket().send(new Uint8Array(4000), 0, { address: 0x0a00_0002, port: 9 })
  pass(hosts.clock, 1e9)
  return new Uint8Array(parts.flatMap((part) => [...part]))
}
