/** What guests try that the host's own sockets refuse: it ends there, and not in the process that runs them. */
import { Clock } from '@vmexit/core'
import { afterEach, expect, test } from 'vitest'
import { AllowList, cable, NetStack, parseIpv4 } from '../index.ts'
import { HostSockets } from './host-sockets.ts'

const unhandled: unknown[] = []
const told = (error: unknown): void => void unhandled.push(error)
afterEach(() => void process.off('unhandledRejection', told).off('uncaughtException', told))

function hostSockets() {
  const clock = new Clock()
  const stack = new NetStack({ clock, seed: 1 })
  stack.configure(stack.addEthernet({ name: 'eth0' }, cable(clock)[0])!, '10.0.2.2/24')
  const address = parseIpv4('10.0.2.2')!
  const allowed = new AllowList([{ host: '127.0.0.0/8' }])
  const sockets = new HostSockets({
    ...{ stack, address, network: { address: parseIpv4('10.0.2.0')!, prefix: 24 } },
    allowed: () => allowed,
    onActivity: () => {},
    onDenied: () => {},
  })
  return { stack, sockets }
}

/** A datagram of a guest, whose header says what it likes. */
function datagram(stack: NetStack, destination: string, port: number): boolean | undefined {
  const packet = { source: parseIpv4('10.0.2.15')!, destination: parseIpv4(destination)! }
  type Intercept = NonNullable<typeof stack.udp.intercept>
  return stack.udp.intercept?.(packet as Parameters<Intercept>[0], 4000, port, new Uint8Array(3))
}

test('a datagram to where the host sends none is lost, and nothing else', async () => {
  process.on('unhandledRejection', told).on('uncaughtException', told)
  const { stack, sockets } = hostSockets()
  // A broadcast address, which the system refuses to connect to; as it refuses all while there is no network.
  expect(datagram(stack, '127.255.255.255', 9)).toBe(true)
  await new Promise((done) => setTimeout(done, 100))
  expect(datagram(stack, '127.255.255.255', 9)).toBe(true)
  await new Promise((done) => setTimeout(done, 100))
  expect(unhandled).toEqual([])
  await sockets[Symbol.asyncDispose]()
  expect(sockets.connections).toBe(0)
})
