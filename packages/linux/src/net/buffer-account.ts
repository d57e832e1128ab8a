/** Buffers of sockets, charged to the group of whoever has the socket ("Control Group v2", *Memory*: `sock`). */
import type { Account as BufferAccount } from '@vmexit/net'
import { type Account, MemoryKind, type MemoryPayer } from '../tasks/account.ts'

const known = new WeakMap<MemoryPayer, BufferAccount>()

/** What pays for the buffers of the sockets that an account's process opens now, as long as there are any. */
export function buffersOf(account: Account): BufferAccount {
  const { memory } = account
  let buffers = known.get(memory)
  if (buffers === undefined) {
    buffers = {
      charge: (bytes) => account.withoutKill(() => memory.charge(bytes, MemoryKind.sock)),
      release: (bytes) => memory.uncharge(bytes, MemoryKind.sock),
    }
    known.set(memory, buffers)
  }
  return buffers
}
