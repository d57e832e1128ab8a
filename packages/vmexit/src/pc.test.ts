import { rawImage } from '@vmexit/block'
import { describe, expect, test } from 'vitest'
import { count, echo, halt, pcOf, print, reset, tripleFault, wait } from '../test/programs.ts'
import { createPc, packState, unpackState } from './index.ts'

const text = async (stream: ReadableStream<Uint8Array>) => await new Response(stream as never).text()

describe('a run says how it ended', () => {
  test.each([
    ['the exit port', print(''), 'off', 15],
    ['cli and hlt', halt, 'halted', undefined],
    [
      'cli and hlt while the timer ticks',
      [0xb0, 0x34, 0xe6, 0x43, 0xb0, 0, 0xe6, 0x40, 0xe6, 0x40, ...halt],
      'halted',
      undefined,
    ],
    ['a triple fault', tripleFault, 'triple-fault', undefined],
  ] as const)('%s', async (_, program, reason, exitCode) => {
    await using pc = await pcOf(program)
    expect(await pc.run()).toMatchObject({ reason, exitCode })
  })

  test('a limit, exactly, and it can go on', async () => {
    await using pc = await pcOf(count)
    expect(await pc.run({ instructions: 12_345 })).toMatchObject({ reason: 'limit', instructions: 12_345 })
    expect(await pc.run({ instructions: 5 })).toMatchObject({ reason: 'limit', instructions: 5 })
    expect(pc.counts.instructions).toBe(12_350)
    expect((await pc.run({ until: 0.001 })).seconds).toBe(0.001)
  })

  test('waiting, it returns or can be aborted', async () => {
    await using pc = await pcOf(wait)
    expect((await pc.run({ idle: 'return' })).reason).toBe('idle')
    const control = new AbortController()
    const running = pc.run({ signal: control.signal })
    control.abort()
    expect((await running).reason).toBe('aborted')
  })

  test('a reset reboots, or ends the run', async () => {
    await using pc = await pcOf(reset)
    expect((await pc.run({ onReset: 'stop' })).reason).toBe('reset')
    pc.reset()
    expect(await pc.run()).toMatchObject({ reason: 'off', exitCode: 5 })
  })
})

test('the guest waits for what is done between slices, which an abort cuts short', async () => {
  await using pc = await pcOf(count)
  const events: string[] = []
  const onSlice = async () => {
    events.push('slice')
    await new Promise((resolve) => setTimeout(resolve, 1))
    events.push('done')
  }
  await pc.run({ instructions: 2_000_000, onSlice })
  expect(events).toEqual(['slice', 'done', 'slice', 'done'])
  await pc.run({ instructions: 2_000_000, slice: 500_000, onSlice: () => void events.push('shorter slice') })
  expect(events.slice(4)).toEqual(Array(4).fill('shorter slice'))
  const control = new AbortController()
  setTimeout(() => control.abort(), 1)
  const never = () => new Promise<void>(() => {})
  expect((await pc.run({ signal: control.signal, onSlice: never })).reason).toBe('aborted')
  const fails = () => Promise.reject(new Error('no room'))
  await expect(pc.run({ onSlice: fails })).rejects.toThrow('no room')
})

describe('the console', () => {
  test.each(['reference', 'interpreter', 'jit'] as const)(
    'tells of a character at the instruction that sends it: %s',
    async (engine) => {
      await using pc = await pcOf(print('abc'), { engine })
      const seen: [string, number][] = []
      const watching = pc.console.onTransmit((bytes) => {
        seen.push([new TextDecoder().decode(bytes), pc.counts.instructions!])
        if (seen.length === 2) watching[Symbol.dispose]()
      })
      await pc.run()
      expect(seen).toEqual([
        ['a', 5],
        ['b', 10],
      ])
    },
  )

  test('is two streams', async () => {
    const pc = await pcOf(echo)
    const printed = text(pc.console.readable)
    const writer = pc.console.writable.getWriter()
    const running = pc.run()
    await writer.write(new TextEncoder().encode('hello'))
    await writer.write(new TextEncoder().encode(', q'))
    expect((await running).reason).toBe('off')
    await pc[Symbol.asyncDispose]()
    expect(await printed).toBe('hello, q')
  })

  test('a reader that does not read pauses the guest; one that goes away does not', async () => {
    // L: out dx,al; jmp L
    await using pc = await pcOf([0xba, 0xf8, 0x03, 0xee, 0xeb, 0xfd])
    const { readable } = pc.console
    const control = new AbortController()
    setTimeout(() => control.abort(), 2000)
    const stop = await pc.run({ signal: control.signal, instructions: 50_000_000 })
    expect([stop.reason, stop.instructions < 20_000_000]).toEqual(['aborted', true])
    await readable.cancel()
    expect((await pc.run({ instructions: 5_000_000 })).reason).toBe('limit')
  })

  test('a write that the guest never takes fails when the machine ends', async () => {
    const pc = await pcOf(halt)
    const writing = pc.console.writable.getWriter().write(Uint8Array.of(65))
    await pc.run()
    await pc[Symbol.asyncDispose]()
    await expect(writing).rejects.toMatchObject({ code: 'console-ended' })
  })

  test('can be waited on', async () => {
    await using pc = await pcOf(echo)
    const running = pc.run()
    pc.console.write('one two')
    expect(await pc.console.waitFor('two')).toBe('one two')
    const missing = pc.console.waitFor(/three|four/)
    pc.console.write('q')
    await running
    pc.console.end()
    await expect(missing).rejects.toMatchObject({ code: 'console-ended' })
    await expect(pc.console.waitFor('x', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'console-aborted',
    })
  })
})

test('saved, packed and restored in another PC, it goes on as if nothing had been', async () => {
  const hardware = { frequency: 1e6 }
  await using whole = await pcOf(count, hardware)
  await whole.run({ instructions: 30_000 })
  await using first = await pcOf(count, hardware)
  await first.run({ instructions: 12_345 })
  await using second = await pcOf(count, hardware)
  second.restore(await unpackState(await packState(first.save())))
  await second.run({ instructions: 30_000 - 12_345 })
  expect(second.counts).toEqual(whole.counts)
  expect(second.save()).toEqual(whole.save())
  await using other = await pcOf(echo, hardware)
  expect(() => other.restore(first.save())).toThrow('has booted something else')
})

test('the last POST code can be read', async () => {
  // mov dx,190h; mov al,0ffh; out dx,al; mov al,12h; out 80h,al; cli; hlt
  await using pc = await pcOf([0xba, 0x90, 0x01, 0xb0, 0xff, 0xee, 0xb0, 0x12, 0xe6, 0x80, 0xfa, 0xf4])
  await pc.run()
  expect([pc.postCode(), pc.postCode(0x84), pc.postCode(0x190)]).toEqual([0x12, 0, 0xff])
})

test('the screen shows text', async () => {
  // mov ax,0b800h; mov es,ax; mov word [es:0],0741h; cli; hlt
  const program = [0xb8, 0x00, 0xb8, 0x8e, 0xc0, 0x26, 0xc7, 0x06, 0, 0, 0x41, 0x07, 0xfa, 0xf4]
  await using pc = await pcOf(program)
  await pc.run()
  expect(pc.screen!.text()[0]!.trimEnd()).toBe('A')
  expect([pc.screen!.render().width, pc.screen!.render().height]).toEqual([720, 400])
  await using without = await pcOf(program, { display: 'none' })
  expect(without.screen).toBeUndefined()
})

describe('what cannot be is an error that says why', () => {
  const image = new Uint8Array(100)
  test.each([
    ['kernel-unknown', { kernel: image }],
    ['kernel-unknown', { multiboot: image }],
    ['rom-image', { bios: image }],
    ['memory-size', { kernel: image, memory: 'much' }],
    ['pc-drives', { rom: new Uint8Array(0x1_0000), floppies: Array(3).fill(rawImage(new Uint8Array(1_474_560))) }],
    [
      'pc-drives',
      { rom: new Uint8Array(0x1_0000), disks: Array(5).fill({ sectorBytes: 512, sectors: 1, readOnly: true }) },
    ],
  ] as const)('%s', async (code, options) => {
    await expect(createPc(options as never)).rejects.toMatchObject({ code })
  })
})

test('counts are the same under every engine and every time', async () => {
  const counts = async (engine: 'jit' | 'interpreter' | 'reference') => {
    await using pc = await pcOf(print('the quick brown fox'), { engine })
    await pc.run()
    return pc.counts
  }
  const first = await counts('jit')
  for (const engine of ['reference', 'interpreter', 'jit'] as const) expect(await counts(engine)).toEqual(first)
})
