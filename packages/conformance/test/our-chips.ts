/** The chips of `@vmexit/chipset` on a bench, each with what is outside of it. */

import {
  ApicSystem,
  AtaDisk,
  DmaPair,
  FastA20,
  FloppyDrive,
  FwCfg,
  I8042,
  I8254,
  I8259,
  I82077,
  IdeChannel,
  Mc146818,
  PicPair,
  PowerManagement,
  Ps2Keyboard,
  Ps2Mouse,
  SystemPort,
  Uart16550,
} from '@vmexit/chipset'
import {
  Bus,
  BusMasters,
  checkState,
  type Device,
  type Line,
  type RegisterFile,
  type State,
  type Stateful,
} from '@vmexit/core'
import { PciBus } from '@vmexit/pci'
import { createVideoMemory, Vga } from '@vmexit/vga'
import type { Bench, DeviceConformanceOptions, DeviceUnderTest } from '../src/index.ts'

/** A device of several that belong together, in the order in which they are restored. */
export function together(
  parts: Readonly<Record<string, Stateful & { reset(): void }>>,
  regions: Readonly<Record<string, RegisterFile>>,
): Device {
  const save = (): State => ({
    version: 1,
    ...Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.save()])),
  })
  return {
    regions,
    reset() {
      for (const part of Object.values(parts)) part.reset()
    },
    save,
    restore(state) {
      checkState('the chips', state, save())
      for (const [name, part] of Object.entries(parts)) part.restore(state[name] as State)
    },
  }
}

/** A disk in the host's memory. */
export function disk(sectors: number, readOnly = false) {
  const bytes = new Uint8Array(512 * sectors)
  return {
    sectorBytes: 512 as const,
    sectors,
    readOnly,
    read: (sector: number, into: Uint8Array) => into.set(bytes.subarray(512 * sector, 512 * sector + into.length)),
    write: (sector: number, from: Uint8Array) => bytes.set(from, 512 * sector),
    flush() {},
  }
}

export function floppyController(bench: Bench, disks = [disk(2880), disk(1440)]) {
  const dma = new DmaPair({ memory: bench.master, configured: true })
  const drives = disks.map((each) => {
    const drive = new FloppyDrive(each.sectors === 2880 ? '1.44M' : '720K', bench.clock)
    drive.insert(each)
    return drive
  })
  const controller = new I82077({
    clock: bench.clock,
    line: bench.line('irq'),
    dma: dma.channel(2, 'floppy'),
    drives,
  })
  return { dma, controller }
}

export function keyboardController(bench: Bench) {
  const keyboard = new Ps2Keyboard({ clock: bench.clock, onLeds: bench.callback('leds') })
  const mouse = new Ps2Mouse({ clock: bench.clock })
  const controller = new I8042({
    clock: bench.clock,
    keyboard,
    mouse,
    keyboardLine: bench.line('keyboard'),
    mouseLine: bench.line('mouse'),
    onA20: bench.callback('a20'),
    onReset: bench.callback('reset'),
  })
  return { controller, keyboard, mouse }
}

type Make = (bench: Bench) => DeviceUnderTest

/** Every chip, and what a reset leaves. */
export const ourChips: Readonly<Record<string, readonly [Make, DeviceConformanceOptions?]>> = {
  '8259A': [
    (bench) => {
      const device = new I8259({ int: bench.line('int'), levelCapable: 0xff })
      const inputs = [0, 1, 2, 3, 4, 5, 6, 7].map((input): Line => ({ set: (level) => device.setInput(input, level) }))
      return { device, inputs }
    },
    { keptByReset: ['lines'] },
  ],
  'pair of 8259As': [
    (bench) => {
      const pair = new PicPair(bench.line('int'))
      const lines = [0, 1, 3, 8, 9, 15].map((input) => pair.line(input))
      const { master, slave } = pair
      const regions = {
        master: master.regions.registers,
        slave: slave.regions.registers,
        elcr: master.regions.elcr,
        elcr2: slave.regions.elcr,
      }
      return {
        device: together({ pair }, regions),
        inputs: lines,
        stimulate: () => void pair.acknowledge(),
      }
    },
    { keptByReset: ['pair.*.lines'] },
  ],
  '8254': [
    (bench) => {
      const device = new I8254({ clock: bench.clock, outputs: [0, 1, 2].map((i) => bench.line(`out ${i}`)) })
      const inputs = [0, 1, 2].map((gate): Line => ({ set: (level) => device.setGate(gate, level) }))
      return { device, inputs }
    },
    { keptByReset: ['counters.*.gate'] },
  ],
  '8254 with port B': [
    (bench) => {
      const timer = new I8254({ clock: bench.clock, outputs: [bench.line('out 0')] })
      const port = new SystemPort(timer, bench.clock, bench.callback('speaker'))
      return { device: together({ timer, port }, { timer: timer.regions.registers, port: port.regions.registers }) }
    },
  ],
  MC146818: [
    (bench) => ({
      device: new Mc146818({
        clock: bench.clock,
        line: bench.line('irq'),
        epoch: 1e9,
        onNmiMask: bench.callback('nmi'),
      }),
    }),
    { keptByReset: ['cells', 'base', 'seconds', 'periods'] },
  ],
  '16550A': [
    (bench) => {
      const device = new Uart16550({
        clock: bench.clock,
        line: bench.line('irq'),
        onTransmit: bench.callback('sent'),
        onBreak: bench.callback('break'),
        onModemControl: bench.callback('modem'),
        onDrain: bench.callback('drain'),
        paced: true,
        flowControl: true,
      })
      return {
        device,
        stimulate(random) {
          const bit = () => random.below(2) === 1
          if (random.below(3) > 0)
            device.receive(Uint8Array.from({ length: random.below(30) }, () => random.below(256)))
          else if (bit()) device.receiveBreak()
          else device.setModemLines({ cts: bit(), dsr: bit(), ri: bit(), dcd: bit() })
        },
      }
    },
    { keptByReset: ['scratch', 'divisor', 'modemLines', 'msr', 'waiting', 'receiver', 'receiveTimer'] },
  ],
  'i8042 with keyboard and mouse': [
    (bench) => {
      const { controller, keyboard, mouse } = keyboardController(bench)
      return {
        device: together({ keyboard, mouse, controller }, controller.regions),
        stimulate(random) {
          const key = random.pick(['KeyA', 'Enter', 'Pause', 'ArrowUp', 'PrintScreen'])
          const count = () => random.below(1000) - 500
          if (random.below(3) === 0) keyboard.press(key)
          else if (random.below(2)) keyboard.release(key)
          else mouse.move({ dx: count(), dy: count(), wheel: random.below(9) - 4, buttons: random.below(32) })
        },
      }
    },
    { keptByReset: ['mouse.buttons', 'mouse.reported'] },
  ],
  'port A': [(bench) => ({ device: new FastA20({ onA20: bench.callback('a20'), onReset: bench.callback('reset') }) })],
  APICs: [
    (bench) => {
      const system = new ApicSystem({
        clock: bench.clock,
        cpus: 2,
        imcr: true,
        onNmi: bench.callback('nmi'),
        onSmi: bench.callback('smi'),
        onInit: bench.callback('init'),
        onStartup: bench.callback('startup'),
      })
      const sources = [0, 1].map((cpu) => system.source(cpu))
      const pins = [0, 1].map((cpu) => bench.line(`intr ${cpu}`))
      for (const [cpu, source] of sources.entries()) source.watch((pending) => pins[cpu]!.set(pending))
      const lines = [0, 1, 4, 9, 16, 23].map((input) => system.line(input))
      return {
        device: together({ system }, { ...system.regions, io: system.ioApic.regions.registers }),
        inputs: [...lines, system.nmi],
        stimulate(random) {
          if (random.below(4) > 0) bench.callback('vector')(random.pick(sources).acknowledge())
          else system.deliver({ address: 0xfee0_0000 + random.below(2 ** 16), data: random.value(2) })
        },
      }
    },
    { keptByReset: ['system.pair.*.lines', 'system.ioApic.inputs', 'system.local.*.lint'] },
  ],
  'DMA controllers': [
    (bench) => {
      const pair = new DmaPair({ memory: bench.master })
      const channels = [1, 2, 5].map((channel) => pair.channel(channel, `device ${channel}`))
      return {
        device: together(
          { pair },
          { low: pair.low.regions.registers, high: pair.high.regions.registers, pages: pair.pages },
        ),
        stimulate(random) {
          const channel = random.pick(channels)
          const data = new Uint8Array(random.below(600)).fill(random.below(256))
          channel.request.set(random.below(2) === 1)
          bench.callback('dma')(random.below(2) ? channel.read(data) : channel.write(data))
        },
      }
    },
    { keptByReset: ['pair.*.channels.*.requested'] },
  ],
  'floppy controller': [
    (bench) => {
      const { dma, controller } = floppyController(bench)
      return {
        device: together(
          { dma, controller },
          { dma: dma.low.regions.registers, controller: controller.regions.registers },
        ),
        // Out of reset with the motors on, and a command, now and then: by chance none would be whole.
        stimulate(random) {
          const { registers } = controller.regions
          registers.write(2, 1, 0x3c)
          const drive = random.below(2)
          const id = [random.below(3), random.below(2), random.below(20), 2, 18, 0x1b, 0xff]
          const command = random.pick([
            [0x03, 0xdf, random.below(8)],
            [0x07, drive],
            [0x08],
            [0x0f, drive, random.below(82)],
            [0x66, drive, ...id],
            [0x45, drive, ...id],
            [0x4d, drive, 2, 9, 0x1b, 0xf6],
          ])
          for (const byte of command) registers.write(5, 1, byte)
        },
      }
    },
  ],
  fw_cfg: [
    (bench) => {
      const device = new FwCfg(bench.master)
      device.addFile('etc/file', Uint8Array.of(1, 2, 3))
      // A command that may be whole, where a guest's address may point.
      const view = new DataView(bench.memory.buffer)
      view.setUint32(0, 0x0019_000a)
      view.setUint32(4, 16)
      view.setUint32(12, 0x100)
      return { device }
    },
  ],
  'power management': [
    (bench) => {
      const device = new PowerManagement({
        clock: bench.clock,
        sci: bench.line('sci'),
        onSoftOff: bench.callback('off'),
      })
      return { device, stimulate: () => device.pressPowerButton() }
    },
  ],
  'IDE channel with a disk': [
    (bench) => {
      const image = disk(1000)
      const master = new AtaDisk({ disk: image, serial: '1', model: 'disk' })
      const line = bench.line('irq')
      const channel = new IdeChannel({ master, slave: undefined, line, clock: bench.clock, memory: bench.master })
      // Descriptors where a guest's address may point.
      const memory = new DataView(bench.memory.buffer)
      memory.setUint32(0, 0x4000, true)
      memory.setUint32(4, 0x8000_0400, true)
      const { busMaster } = channel
      const registers: RegisterFile = {
        size: 8,
        widest: 1,
        split: true,
        read: (offset) => busMaster.read(offset),
        write: (offset, _, value) => busMaster.write(offset, value),
      }
      return {
        device: together({ master, channel }, { ...channel.regions, busMaster: registers }),
        // A command, now and then: by chance few would be whole.
        stimulate(random) {
          const { command } = channel.regions
          for (const [i, value] of [0, random.below(4), random.below(256), 0, 0, 0xe0].entries())
            command.write(i + 1, 1, value)
          command.write(7, 1, random.pick([0x20, 0x30, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xec, 0xef, 0x90]))
          if (random.below(2)) busMaster.write(4, 0)
          if (random.below(2)) busMaster.write(0, random.pick([0x01, 0x09]))
        },
      }
    },
  ],
  'VGA adapter': [
    (bench) => {
      const memory = createVideoMemory(2 ** 18)
      const vga = new Vga({ clock: bench.clock, memory })
      return { device: together({ vga }, vga.regions) }
    },
    { keptByReset: ['vga.dac'] },
  ],
  'PCI function': [
    (bench) => {
      const bus = new PciBus({
        ports: new Bus({ name: 'ports', addressBits: 16 }),
        mmio: new Bus({ name: 'mmio', addressBits: 52 }),
        busMasters: new BusMasters(),
        interrupts: [0, 1, 2, 3].map((wire) => bench.line(`wire ${wire}`)) as never,
      })
      const empty = (size: number): RegisterFile => ({ size, read: () => 0, write() {} })
      const fn = bus.add({
        name: 'card',
        vendorId: 0x1234,
        deviceId: 0x5678,
        classCode: 0x02_0000,
        bars: [
          { index: 0, space: 'memory', registers: empty(0x1000) },
          { index: 1, space: 'io', registers: empty(0x20) },
        ],
        interruptPin: 1,
        msi: { messages: 4 },
        rom: new Uint8Array(3000),
      })
      const config: RegisterFile = {
        size: 0x100,
        read: (offset, width) => fn.readConfig(offset, width),
        write: (offset, width, value) => fn.writeConfig(offset, width, value),
      }
      return { device: together({ fn }, { config }), inputs: [fn.interrupt], stimulate: () => void fn.signal(1) }
    },
    { keptByReset: ['fn.interrupt'] },
  ],
}
