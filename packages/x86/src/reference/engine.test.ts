import { table } from '@vmexit/x86-decoder'
import { expect, it } from 'vitest'
import { hasMeaning } from './engine.ts'

it('gives every operation of the instruction table a meaning, but for the system side of long mode', () => {
  const without = new Set(table.map((row) => row.op).filter((op) => !hasMeaning(op)))
  expect([...without].sort()).toEqual(['swapgs', 'syscall', 'sysret'])
})
