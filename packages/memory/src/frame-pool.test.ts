import { expect, test } from 'vitest'
import { FramePool, unlimitedOwner } from './frame-pool.ts'
import { HostMemory } from './host-memory.ts'

test('a frame goes back with its last reference, and comes out zeroed', () => {
  const pool = new FramePool({ host: new HostMemory() })
  const owner = unlimitedOwner('guest')
  const frame = pool.allocate(owner)
  pool.host.u8[frame + 17] = 9
  pool.retain(frame)
  pool.release(frame)
  expect(pool.references(frame)).toBe(1)
  expect(pool.ownerOf(frame)).toBe(owner)
  pool.release(frame)
  expect(pool.inUse).toBe(0)
  expect(pool.ownerOf(frame)).toBeUndefined()
  expect(pool.allocate(owner)).toBe(frame)
  expect(pool.host.u8[frame + 17]).toBe(0)
})

test('the owner is asked for each frame and may refuse', () => {
  let used = 0
  const owner = {
    name: 'cgroup /guests/a',
    charge: (frames: number) => {
      if (used + frames > 2) return false
      used += frames
      return true
    },
    uncharge: (frames: number) => {
      used -= frames
    },
  }
  const pool = new FramePool({ host: new HostMemory() })
  const first = pool.allocate(owner)
  pool.allocate(owner)
  expect(() => pool.allocate(owner)).toThrow(
    expect.objectContaining({ code: 'frame-limit', message: expect.stringContaining('cgroup /guests/a') }),
  )
  expect(pool.inUse).toBe(2)
  pool.release(first)
  expect(used).toBe(1)
  pool.allocate(owner)
})

test('a limit on frames, and the end of host memory, are typed errors', () => {
  const limited = new FramePool({ host: new HostMemory(), maximumFrames: 1 })
  limited.allocate(unlimitedOwner('a'))
  expect(() => limited.allocate(unlimitedOwner('a'))).toThrow(expect.objectContaining({ code: 'frame-limit' }))

  const small = new FramePool({ host: new HostMemory({ maximumBytes: 131072 }) })
  for (let frame = 0; frame < 30; frame++) small.allocate(unlimitedOwner('a'))
  expect(() => small.allocate(unlimitedOwner('a'))).toThrow(expect.objectContaining({ code: 'memory-exhausted' }))
})

test('a frame not in use can be neither shared nor released', () => {
  const pool = new FramePool({ host: new HostMemory() })
  expect(() => pool.retain(4096 * 77)).toThrow(expect.objectContaining({ code: 'frame-unknown' }))
  const frame = pool.allocate(unlimitedOwner('a'))
  pool.release(frame)
  expect(() => pool.release(frame)).toThrow(expect.objectContaining({ code: 'frame-unknown' }))
})

test('the zero frame has no count and never goes', () => {
  const pool = new FramePool({ host: new HostMemory() })
  pool.release(pool.zeroFrame)
  pool.retain(pool.zeroFrame)
  expect(pool.references(pool.zeroFrame)).toBe(0)
  expect(pool.inUse).toBe(0)
})
