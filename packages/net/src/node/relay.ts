/// <reference types="node" />
/** A stream of a stack and a socket of the host, joined: bytes go both ways, each side as fast as the other takes them. */
import type { Socket as HostSocket } from 'node:net'
import { Errno } from '../errno.ts'
import { Poll } from '../socket/constants.ts'
import type { StreamSocket } from '../socket/stream-socket.ts'

const chunkBytes = 65536

/** Joins them until both directions have ended or one side breaks; `closed` is called once. `moved`: bytes came in from the host. */
export function relay(guest: StreamSocket, host: HostSocket, moved: () => void, closed: () => void): void {
  const buffer = new Uint8Array(chunkBytes)
  /** What came from the host and did not fit yet. */
  let waiting: Uint8Array | undefined
  let hostEnded = false
  let guestEnded = false
  let over = false

  const finish = (reset: boolean) => {
    if (over) return
    over = true
    if (reset) guest.linger = 0
    guest.close()
    if (reset) host.resetAndDestroy()
    else host.destroySoon()
    closed()
    moved()
  }
  const toHost = () => {
    while (!guestEnded && !over && !host.writableNeedDrain) {
      const size = guest.receive(buffer)
      if (size === -Errno.EAGAIN) return
      if (size < 0) return finish(true)
      if (size === 0) {
        guestEnded = true
        host.end()
        if (hostEnded && waiting === undefined) finish(false)
        return
      }
      host.write(buffer.slice(0, size))
    }
  }
  const toGuest = () => {
    while (waiting !== undefined && waiting.length > 0) {
      const size = guest.send(waiting)
      if (size === -Errno.EAGAIN) return
      if (size < 0) return finish(true)
      waiting = waiting.subarray(size)
    }
    waiting = undefined
    if (hostEnded) {
      guest.shutdown(1)
      if (guestEnded || host.destroyed) finish(false)
    } else host.resume()
  }

  guest.wake = () => {
    if (over) return
    const bits = guest.poll()
    if (bits & Poll.err && guest.readable === 0) return finish(true)
    if (bits & Poll.in) toHost()
    if (!over && bits & Poll.out && waiting !== undefined) toGuest()
  }
  host.on('data', (chunk: Uint8Array) => {
    host.pause()
    waiting = chunk
    toGuest()
    moved()
  })
  host.on('end', () => {
    hostEnded = true
    if (waiting === undefined) toGuest()
    moved()
  })
  host.on('drain', () => {
    toHost()
    moved()
  })
  host.on('error', () => finish(true))
  // A stream ends, and closes, although it was paused: what waits then is still for the guest.
  host.on('close', () => {
    if (!hostEnded) finish(true)
    else if (waiting === undefined) finish(false)
  })
  toHost()
  host.resume()
}
