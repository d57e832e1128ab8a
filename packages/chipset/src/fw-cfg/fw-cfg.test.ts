import { VmexitError } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { fwCfgKey } from './keys.ts'
import { linuxItems } from './linux-items.ts'
import { type FwCfgOptions, fwCfg } from './part.ts'

const MiB = 2 ** 20

async function setUp(options: FwCfgOptions = {}, memory = 128 * MiB) {
  const part = fwCfg(options)
  const m = await idleMachine([part], { memory })
  const { machine, in8, in32 } = m
  const ports = machine.get('ports')
  const select = (key: number) => ports.write(0x510, 2, key)
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => in8(0x511))
  const number = (key: number, count: number) => {
    select(key)
    return bytes(count).reduce((sum, byte, i) => sum + byte * 256 ** i, 0)
  }
  const files = () => {
    select(fwCfgKey.fileDirectory)
    const be = (count: number) => bytes(count).reduce((sum, byte) => sum * 256 + byte, 0)
    return Array.from({ length: be(4) }, () => {
      const [size, key] = [be(4), be(2)]
      be(2)
      return { size, key, name: new TextDecoder().decode(bytes(56)).replace(/\0+$/, '') }
    })
  }
  const master = machine.get('busMasters').create(1, 'test')
  /** Runs a DMA command that lies at 0x1000. */
  const command = (control: number, length: number, address: number) => {
    const view = new DataView(new ArrayBuffer(16))
    view.setUint32(0, control)
    view.setUint32(4, length)
    view.setUint32(12, address)
    master.write(0x1000, new Uint8Array(view.buffer))
    ports.write(0x518, 4, 0x0010_0000)
    const result = new Uint8Array(4)
    master.read(0x1000, result)
    return new DataView(result.buffer).getUint32(0)
  }
  const read = (address: number, count: number) => {
    const into = new Uint8Array(count)
    master.read(address, into)
    return into
  }
  return { ...m, in32, select, bytes, number, files, command, read, api: machine.of(part) }
}

describe('through the ports', () => {
  test('firmware sees the signature, and that DMA is there', async () => {
    const { select, bytes, number } = await setUp()
    select(0)
    expect(new TextDecoder().decode(bytes(4))).toBe('QEMU')
    expect(number(1, 4)).toBe(3)
  })

  test('RAM size and CPUs', async () => {
    const { number } = await setUp({ cpus: 3 }, 6144 * MiB)
    expect([number(3, 8), number(5, 2), number(0x0f, 2), number(0x8002, 4)]).toEqual([6144 * MiB, 3, 3, 1])
  })

  test('files by their directory', async () => {
    const { files, select, bytes } = await setUp({ files: { bootorder: new TextEncoder().encode('/rom@x\0') } })
    expect(files()).toEqual([
      { name: 'etc/e820', size: 20, key: 0x20 },
      { name: 'bootorder', size: 7, key: 0x21 },
    ])
    select(0x21)
    expect(new TextDecoder().decode(bytes(9))).toBe('/rom@x\0\0\0')
  })

  test('the memory map has both sides of 4 GiB', async () => {
    const { select, bytes } = await setUp({ holeStart: 2048 * MiB }, 5120 * MiB)
    select(0x20)
    const map = new DataView(bytes(40).buffer)
    expect([0, 8, 20, 28].map((at) => Number(map.getBigUint64(at, true)) / MiB)).toEqual([0, 2048, 4096, 3072])
  })

  test('items of one’s own; keys that are none read as zeros; files of one name are refused', async () => {
    const { number, api } = await setUp({ items: { 32773: Uint8Array.of(1, 2) } })
    expect([number(0x8005, 3), number(0x7777, 4)]).toEqual([0x0201, 0])
    expect(() => api.fwCfg.addFile('etc/e820', new Uint8Array())).toThrow("there are two fw_cfg files 'etc/e820'")
    expect(() => api.fwCfg.addFile('x'.repeat(56), new Uint8Array())).toThrow(VmexitError)
  })
})

describe('through DMA', () => {
  test('its port says that it is there', async () => {
    const { in32, in8 } = await setUp()
    expect([in32(0x514), in32(0x518), in8(0x515)]).toEqual([0x554d4551, 0x47464320, 0x45])
  })

  test('select, read, skip', async () => {
    const data = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)
    const { command, read } = await setUp({ items: { 36864: data } })
    expect(command(0x9000_000a, 70_000, 0x2000)).toBe(0)
    expect(read(0x2000, 70_000)).toEqual(data.subarray(0, 70_000))
    expect([command(4, 10, 0), command(2, 4, 0x3000)]).toEqual([0, 0])
    expect(read(0x3000, 4)).toEqual(data.subarray(70_010, 70_014))
    command(0x9000_000c, 99_999, 0)
    command(2, 3, 0x3000)
    expect(read(0x3000, 3)).toEqual(Uint8Array.of(99_999 % 251, 0, 0))
  })

  test('writing, and memory that is not there, are errors', async () => {
    const { command } = await setUp()
    expect(command(0x0000_0018, 4, 0x2000)).toBe(1)
    expect(command(0x0000_000a, 4, 0x7000_0000)).toBe(1)
  })
})

test('saved in the middle of an item, it goes on', async () => {
  const { machine, select, bytes } = await setUp()
  select(0)
  bytes(2)
  const state = JSON.parse(JSON.stringify(machine.save()))
  machine.reset()
  bytes(3)
  machine.restore(state)
  expect(new TextDecoder().decode(bytes(2))).toBe('MU')
})

describe('a Linux kernel', () => {
  const kernel = () => {
    const image = new Uint8Array(0x4000)
    const view = new DataView(image.buffer)
    view.setUint8(0x1f1, 3)
    view.setUint32(0x202, 0x5372_6448, true)
    view.setUint16(0x206, 0x20f, true)
    view.setUint32(0x22c, 0x7fff_ffff, true)
    image[0x800] = 0xcc
    return image
  }

  test('is taken apart, and its header says where the rest is', async () => {
    const linux = { kernel: kernel(), initrd: new Uint8Array(5000), commandLine: 'quiet' }
    const { number, select, bytes } = await setUp({ linux })
    expect([number(0x16, 4), number(0x17, 4), number(0x07, 4), number(0x08, 4)]).toEqual([
      0x10000, 0x800, 0x100000, 0x3800,
    ])
    const address = 128 * MiB - 0x20000 - 8192
    expect([number(0x0a, 4), number(0x0b, 4), number(0x14, 4)]).toEqual([address, 5000, 6])
    select(0x18)
    const setup = new DataView(bytes(0x800).buffer)
    expect([0x218, 0x21c, 0x228].map((at) => setup.getUint32(at, true))).toEqual([address, 5000, 0x20000])
    expect([setup.getUint8(0x210), setup.getUint8(0x211) & 0x80, number(0x11, 1)]).toEqual([0xb0, 0x80, 0xcc])
    select(0x15)
    expect(new TextDecoder().decode(bytes(6))).toBe('quiet\0')
  })

  test('that is none is refused, and an initrd that does not fit', () => {
    const old = kernel()
    old[0x207] = 1
    for (const wrong of [new Uint8Array(10), new Uint8Array(0x4000), kernel().subarray(0, 0x800), old]) {
      expect(() => linuxItems({ kernel: wrong }, 64 * MiB)).toThrow(expect.objectContaining({ code: 'kernel-image' }))
    }
    const initrd = new Uint8Array(2 * MiB)
    expect(() => linuxItems({ kernel: kernel(), initrd }, 3 * MiB)).toThrow(/2097152 bytes has no room/)
  })
})
