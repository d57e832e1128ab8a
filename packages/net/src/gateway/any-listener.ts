/** What takes the handshakes that a gateway lets through: they are to any address and port. */
import type { Account } from '../account.ts'
import { type TcpOptions, tcpDefaults } from '../tcp/state.ts'
import { Listener } from '../tcp/tcp.ts'

const flags = { reuseAddress: false, reusePort: false, listening: true, ephemeral: false }

/** One for the connections that `account` pays; `most` of them may wait to be accepted. */
export function anyListener(most: number, account: Account | undefined, options: Partial<TcpOptions> = {}): Listener {
  const binding = { address: 0, port: 0, device: undefined, ...flags }
  return new Listener(binding, { ...tcpDefaults, ...options, account }, most)
}
