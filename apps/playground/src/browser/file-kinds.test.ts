import { expect, test } from 'vitest'
import { kindOf, sortFiles } from './file-kinds.ts'

const kernel = new Uint8Array(0x206)
kernel.set(new TextEncoder().encode('HdrS'), 0x202)
const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0)

test('kernels and archives are told by how they begin', () => {
  expect(kindOf(kernel)).toBe('kernel')
  expect(kindOf(new TextEncoder().encode('\x7fELF'))).toBe('kernel')
  for (const start of [gzip, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), new TextEncoder().encode('070701')]) {
    expect(kindOf(start)).toBe('initrd')
  }
  for (const other of [new Uint8Array(0), new TextEncoder().encode('#!/bin/sh')]) expect(kindOf(other)).toBeUndefined()
})

test('files that are dropped together find their places, in any order', async () => {
  const files = [new File([gzip], 'initrd.img'), new File([kernel], 'vmlinuz')]
  const { kernel: one, initrd: other } = await sortFiles(files)
  expect([one?.name, other?.name]).toEqual(['vmlinuz', 'initrd.img'])
})

test('what cannot be booted is named, and what there are two of', async () => {
  await expect(sortFiles([new File(['hello'], 'notes.txt')])).rejects.toThrow('notes.txt is neither a Linux kernel')
  await expect(sortFiles([new File([gzip], 'a'), new File([gzip], 'b')])).rejects.toThrow(
    'a and b are both initramfs archives: drop one of them',
  )
})
