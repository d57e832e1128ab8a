import { expect, onTestFinished, test } from 'vitest'
import { serve } from './machine.ts'
import type { Report, Request } from './protocol.ts'

/** A machine that runs a program of a BIOS's: 64 KiB whose last 16 bytes are where the CPU starts, in real mode. */
function machine(program: readonly number[]) {
  const bios = new Uint8Array(0x1_0000)
  bios.set(program, 0)
  bios.set([0xea, 0, 0, 0, 0xf0], 0xfff0) // jmp 0f000h:0
  const { port1: port, port2: other } = new MessageChannel()
  const reports: Report[] = []
  let told = () => {}
  port.onmessage = ({ data }) => {
    reports.push(data)
    told()
  }
  const send = (request: Request) => port.postMessage(request)
  const until = async (done: (report: Report) => boolean): Promise<Report> => {
    for (;;) {
      const found = reports.findIndex(done)
      if (found >= 0) return reports.splice(0, found + 1).at(-1)!
      await new Promise<void>((resolve) => {
        told = resolve
      })
    }
  }
  onTestFinished(() => {
    send({ type: 'stop' })
    port.close()
  })
  serve(other)
  const setup = {
    files: { bios },
    append: '',
    engine: 'interpreter',
    way: {},
    slice: 100_000,
    memory: '2 MiB',
  } as const
  send({ type: 'start', setup })
  return { send, until, reports }
}

const of = (type: Report['type']) => (report: Report) => report.type === type
const printed = (reports: readonly Report[]) =>
  reports.reduce((sum, report) => sum + (report.type === 'output' ? report.bytes.length : 0), 0)

test('a guest that halts for good can be reset, and runs again', async () => {
  // mov dx,3f8h; mov al,11h; out dx,al; cli; hlt (a serial port sends five bits until it is told otherwise)
  const { send, until } = machine([0xba, 0xf8, 0x03, 0xb0, 0x11, 0xee, 0xfa, 0xf4])
  for (let boot = 0; boot < 2; boot++) {
    expect(await until(of('output'))).toEqual({ type: 'output', bytes: Uint8Array.of(0x11) })
    expect(await until(of('ended'))).toMatchObject({ reason: 'halted', at: 'f000:00000008' })
    send({ type: 'reset' })
  }
})

test('a guest that prints without end waits for the screen', async () => {
  // mov dx,3f8h; L: out dx,al; jmp L
  const { send, until, reports } = machine([0xba, 0xf8, 0x03, 0xee, 0xeb, 0xfd])
  const settled = async () => {
    let before = -1
    for (let now = 0; now !== before; ) {
      before = now
      await new Promise((resolve) => setTimeout(resolve, 300))
      now = printed(reports)
    }
    return before
  }
  await until(of('running'))
  const first = await settled()
  expect(first).toBeGreaterThan(1 << 18)
  expect(first).toBeLessThan(1 << 19)
  send({ type: 'shown', bytes: first })
  expect(await settled()).toBeGreaterThan(first)
})

test('what is wrong with an image comes as problem and remedy', async () => {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port1.close())
  serve(port2)
  const report = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data)
  })
  const files = { kernel: new TextEncoder().encode('no kernel') }
  port1.postMessage({
    type: 'start',
    setup: { files, append: '', engine: 'interpreter', way: {}, slice: 1, memory: '64 MiB' },
  } satisfies Request)
  expect(await report).toMatchObject({ type: 'problem', problem: { what: expect.stringContaining('bzImage') } })
})
