import { describe, expect, test } from 'vitest'
import { InputGate } from './input-gate.ts'

describe('InputGate', () => {
  test('what is posted waits until the run loop lets it in, in order', () => {
    const gate = new InputGate()
    const keys: string[] = []
    const keyboard = gate.open<string>('keyboard', (key) => keys.push(key))
    keyboard.post('a')
    gate.post('keyboard', 'b')
    expect(keys).toEqual([])
    gate.drain(100)
    expect(keys).toEqual(['a', 'b'])
  })

  test('the log replays the same inputs at the same times, and nothing else', () => {
    const live = new InputGate()
    const log = live.record()
    live.open('net', () => {})
    live.post('net', new Uint8Array([1, 2]))
    live.drain(10)
    live.post('net', new Uint8Array([3]))
    live.drain(500)

    const gate = new InputGate()
    const seen: unknown[] = []
    gate.open('net', (payload) => seen.push(payload))
    gate.replay(log)
    gate.drain(0)
    expect([gate.replaying, gate.nextStamp, seen.length]).toEqual([true, 10, 0])
    gate.drain(10)
    gate.post('net', new Uint8Array([99]))
    gate.drain(400)
    expect([gate.nextStamp, seen]).toEqual([500, [new Uint8Array([1, 2])]])
    gate.drain(500)
    expect([gate.nextStamp, seen.length]).toEqual([Number.POSITIVE_INFINITY, 2])
    gate.live()
    gate.post('net', new Uint8Array([4]))
    gate.drain(600)
    expect(seen.length).toBe(3)
  })

  test('a machine that runs past a stamp has diverged', () => {
    const gate = new InputGate()
    gate.open('net', () => {})
    gate.replay([{ stamp: 10, source: 'net', payload: 1 }])
    expect(() => gate.drain(11)).toThrow("the log has an input of 'net' at 10, but the machine is at 11")
  })

  test('who waits hears of a post', () => {
    const gate = new InputGate()
    gate.open('net', () => {})
    let posts = 0
    gate.onPost(() => posts++)
    gate.post('net', 1)
    expect(posts).toBe(1)
  })

  test('sources are known by name, once each', () => {
    const gate = new InputGate()
    const keyboard = gate.open('keyboard', () => {})
    expect(() => gate.open('keyboard', () => {})).toThrow("two devices open the input source 'keyboard'")
    expect(() => gate.post('mouse', 1)).toThrow(
      "there is no input source 'mouse': add the device that opens it, or use",
    )
    keyboard[Symbol.dispose]()
    expect(() => gate.post('keyboard', 1)).toThrow('use one of: (none is open)')
  })
})
