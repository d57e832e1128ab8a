/** Buffers of sockets, charged to the account of processes: in bytes there, in frames here. */
import type { Account as BufferAccount } from '@vmexit/net'
import type { Account } from '../tasks/account.ts'

const FRAME = 4096
const known = new WeakMap<Account, BufferAccount>()

/** What pays for the buffers of the sockets of an account: whole frames, as many as all of them fill together. */
export function buffersOf(account: Account): BufferAccount {
  let buffers = known.get(account)
  if (buffers === undefined) {
    buffers = charging(account)
    known.set(account, buffers)
  }
  return buffers
}

function charging(account: Account): BufferAccount {
  let used = 0
  let frames = 0
  return {
    charge(bytes) {
      const more = Math.ceil((used + bytes) / FRAME) - frames
      if (more > 0 && !account.charge('memory', more)) return false
      used += bytes
      if (more > 0) frames += more
      return true
    },
    release(bytes) {
      used -= bytes
      const fewer = frames - Math.ceil(used / FRAME)
      if (fewer <= 0) return
      frames -= fewer
      account.uncharge('memory', fewer)
    },
  }
}
