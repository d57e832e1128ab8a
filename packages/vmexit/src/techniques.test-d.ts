import { expectTypeOf, test } from 'vitest'
import { createPc, type MmuFor, type PcTechnique, type TechniqueName } from './index.ts'

const rom = new Uint8Array(0x1_0000)

test('a technique, and an MMU strategy where the technique takes one', () => {
  createPc({ rom })
  createPc({ rom, technique: 'native' })
  createPc({ rom, technique: 'software-emulation' })
  createPc({ rom, technique: 'vtx' })
  createPc({ rom, technique: 'vtx', mmu: 'nested-paging' })
  createPc({ rom, technique: 'vtx', mmu: 'shadow-paging' })
})

test('a meaningless pair does not compile', () => {
  // @ts-expect-error there is no VMM
  createPc({ rom, mmu: 'nested-paging' })
  // @ts-expect-error there is no VMM
  createPc({ rom, technique: 'native', mmu: 'nested-paging' })
  // @ts-expect-error it follows page tables by itself
  createPc({ rom, technique: 'software-emulation', mmu: 'nested-paging' })
  // @ts-expect-error there is no such strategy
  createPc({ rom, technique: 'vtx', mmu: 'nested' })
  // @ts-expect-error there is no such technique
  createPc({ rom, technique: 'vt-x' })
})

test('what goes together is what the parts say', () => {
  expectTypeOf<MmuFor<'software-emulation'>>().toBeNever()
  expectTypeOf<MmuFor<'vtx'>>().toEqualTypeOf<'nested-paging' | 'shadow-paging'>()
  expectTypeOf<NonNullable<PcTechnique['technique']>>().toEqualTypeOf<TechniqueName>()
})
