import { setFlagsFromString } from 'node:v8'
import { expect, test } from 'vitest'
import { instantiate } from '../test/instance.ts'
import { ModuleBuilder, Op } from './index.ts'

test('V8 compiles hinted branches with branch hinting switched on', () => {
  setFlagsFromString('--experimental-wasm-branch-hinting')
  setFlagsFromString('--no-liftoff')
  const module = new ModuleBuilder()
  const fn = module.func(['i32'], ['i32'])
  const sum = fn.local('i32')
  const again = fn.loop()
  fn.localGet(sum).localGet(0).op(Op.i32Add).localSet(sum)
  fn.localGet(0).i32Const(1).op(Op.i32And).hint(false).if_()
  fn.localGet(sum).i32Const(100).op(Op.i32Add).localSet(sum).end()
  fn.localGet(0).i32Const(1).op(Op.i32Sub).localTee(0).hint(true).brIf(again).end()
  fn.localGet(sum)
  fn.prologue((entry) => {
    entry.localGet(0).op(Op.i32Eqz).hint(false).if_()
    entry.i32Const(0).return_().end()
  })
  module.exportFunction('run', fn.index)
  const { run } = instantiate(module)
  expect([run(0), run(3)]).toEqual([0, 206])
})
