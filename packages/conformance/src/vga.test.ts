import { Bus } from '@vmexit/core'
import { createVideoMemory, Vga } from '@vmexit/vga'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type VgaUnderTest, vgaConformance } from './vga.ts'

function ours(change: (vga: VgaUnderTest) => Partial<VgaUnderTest> = () => ({})) {
  return vgaConformance((bench) => {
    const { regions } = new Vga({ clock: bench.clock, memory: createVideoMemory(2 ** 18) })
    const ports = new Bus({ name: 'ports', addressBits: 16 })
    ports.claim('vga', 0x3b4, regions.monochromeCrtc)
    ports.claim('vga', 0x3ba, regions.monochromeStatus)
    ports.claim('vga', 0x3c0, regions.common)
    ports.claim('vga', 0x3d4, regions.colourCrtc)
    ports.claim('vga', 0x3da, regions.colourStatus)
    const subject: VgaUnderTest = {
      read: (port) => ports.read(port, 1),
      write: (port, value) => ports.write(port, 1, value),
      window: regions.window,
    }
    return { ...subject, ...change(subject) }
  })
}

for (const { name, run } of ours()) test(name, run)

test('what is broken fails', () => {
  /** An adapter one of whose indexed registers is always the same. */
  const stuck = (port: number, index: number, value: number) =>
    failures(
      ours(({ write }) => {
        let selected = 0
        return {
          write(at, written) {
            if (at === port) selected = written
            write(at, at === port + 1 && selected === index ? value : written)
          },
        }
      }),
    )
  expect(stuck(0x3c4, 2, 0x0f)).toContain('the map mask says which planes are written, read map select which is read')
  expect(stuck(0x3ce, 8, 0xff)).toContain('the bit mask keeps pixels, set/reset colours them')
  expect(stuck(0x3ce, 3, 0x00)).toContain('rotation and logical operations')
  expect(stuck(0x3ce, 6, 0x05)).toContain('the window is where the memory map says')
  expect(stuck(0x3d4, 0x11, 0x0e)).toEqual(['timings can be protected'])
  const calm = failures(ours(({ read }) => ({ read: (port) => (port === 0x3da ? read(port) & ~8 : read(port)) })))
  expect(calm).toEqual(['the retrace comes and goes'])
  const small = ours(({ window }) => ({
    window: changed(window, { write: (offset) => (offset >= 0x1_0000 ? null : undefined) }),
  }))
  expect(failures(small)).toContain('text: characters and attributes are neighbours at 0xb8000')
})
