import { createMachine } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { x86 } from '@vmexit/x86'
import { expect, test } from 'vitest'
import { bzImage } from '../test/bz-image.ts'
import { guest } from './guest.ts'
import { linux } from './linux/linux.ts'

// inc dword [100c000h]; hlt
const kernel = bzImage({ code: Uint8Array.of(0xff, 0x05, 0, 0xc0, 0, 1, 0xf4) })
const compose = (size: string) => {
  const booted = guest(linux({ kernel }))
  return createMachine({ memory: ram(size), cpu: x86({ engine: 'reference' }), devices: [booted] }).then((machine) => ({
    machine,
    image: machine.of(booted).image,
  }))
}

test('a machine boots when it is composed, and again when it is reset', async () => {
  const { machine, image } = await compose('32 MiB')
  expect(image.title).toBe('Linux 6.1.0-test')
  expect(machine.runSlice({ instructions: 100 }).reason).toBe('idle')
  expect([machine.get('guestMemory').read32(0x100_c000), machine.get('x86').retired]).toEqual([1, 2])
  machine.reset()
  machine.runSlice({ instructions: 100 })
  expect([machine.get('guestMemory').read32(0x100_c000), machine.get('x86').retired]).toEqual([2, 4])
})

test('what cannot be booted cannot be composed', async () => {
  await expect(compose('8 MiB')).rejects.toMatchObject({ code: 'memory-too-small' })
})
