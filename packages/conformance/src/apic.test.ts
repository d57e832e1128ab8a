import { ApicSystem } from '@vmexit/chipset'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type ApicSystemUnderTest, apicConformance } from './apic.ts'

function ours(change: (system: ApicSystemUnderTest) => Partial<ApicSystemUnderTest> = () => ({})) {
  return apicConformance((bench) => {
    let current = 0
    const system = new ApicSystem({
      clock: bench.clock,
      cpus: 2,
      currentCpu: () => current,
      onNmi: bench.callback('nmi'),
      onSmi: bench.callback('smi'),
      onInit: bench.callback('init'),
      onStartup: bench.callback('startup'),
    })
    const page = (cpu: number) => {
      const { local } = system.regions
      const as = <T>(act: () => T): T => {
        current = cpu
        const result = act()
        current = 0
        return result
      }
      return {
        ...local,
        read: (offset: number, width: 1 | 2 | 4) => as(() => local.read(offset, width)),
        write: (offset: number, width: 1 | 2 | 4, value: number) => as(() => local.write(offset, width, value)),
      }
    }
    const subject: ApicSystemUnderTest = {
      inputs: system.inputs,
      line: (input) => system.line(input),
      source: (cpu) => system.source(cpu),
      deliver: (message) => system.deliver(message),
      local: page,
      ioApic: system.ioApic.regions.registers,
    }
    return { ...subject, ...change(subject) }
  })
}

for (const { name, run } of ours()) test(name, run)

test('what is broken fails', () => {
  const local = (register: number, to: (value: number) => number | null) =>
    failures(
      ours(({ local }) => ({
        local: (cpu) => changed(local(cpu), { write: (offset, value) => (offset === register ? to(value) : value) }),
      })),
    )
  // No task priority; EOI that does nothing; shorthands that are none; a timer that is never periodic.
  expect(local(0x80, () => null)).toContain('the task priority holds back its class and those below')
  expect(local(0xb0, () => null)).toContain('requests go into service by priority and leave with EOI')
  expect(local(0x300, (value) => value & ~0xc_0000)).toContain('messages by ID, by logical destination, by shorthand')
  expect(local(0x320, (value) => value & ~0x2_0000)).toEqual([
    'the timer in periodic mode: again and again, silent while masked',
  ])
  expect(local(0x3e0, () => 0x0b)).toEqual(['the divide configuration'])
  // An I/O APIC that knows no levels.
  const edges = ours(({ ioApic }) => ({
    ioApic: changed(ioApic, { write: (offset, value) => (offset === 0x10 ? value & ~0x8000 : value) }),
  }))
  expect(failures(edges)).toContain('a level is sent again after each EOI until it falls')
  expect(failures(ours(() => ({ deliver: () => true })))).toEqual(['message-signalled interrupts'])
})
