import { table } from '@vmexit/x86-decoder'
import { describe, expect, it } from 'vitest'
import { Rig } from '../../test/system/rig.ts'
import { Layout } from '../state/layout.ts'
import { sensitiveCheck } from './sensitive.ts'

const GP = { vector: 13, errorCode: 0 }
/** Robin and Irvine's table, and IRET. */
const SENSITIVE: Readonly<Record<string, number[]>> = {
  SGDT: [0x0f, 0x01, 0x05, 0, 0, 0, 0],
  SIDT: [0x0f, 0x01, 0x0d, 0, 0, 0, 0],
  SLDT: [0x0f, 0x00, 0xc0],
  SMSW: [0x0f, 0x01, 0xe0],
  PUSHF: [0x9c],
  POPF: [0x9d],
  LAR: [0x0f, 0x02, 0xc1],
  LSL: [0x0f, 0x03, 0xc1],
  VERR: [0x0f, 0x00, 0xe0],
  VERW: [0x0f, 0x00, 0xe8],
  'POP seg': [0x1f],
  'PUSH seg': [0x1e],
  'CALL far': [0x9a, 0, 0, 0, 0, 0, 0],
  'JMP far': [0xea, 0, 0, 0, 0, 0, 0],
  INT: [0xcd, 0x80],
  'RET far': [0xcb],
  STR: [0x0f, 0x00, 0xc8],
  'MOV seg': [0x8c, 0xc8],
  IRET: [0xcf],
}
const AT_CPL3 = ['SGDT', 'SIDT', 'SLDT', 'STR', 'SMSW']

describe('sensitiveTraps', () => {
  it.each(Object.entries(SENSITIVE))('%s', (name, bytes) => {
    for (const cpl of [0, 1, 2, 3] as const) {
      for (const virtualIopl of [0, 3]) {
        const rig = new Rig().protectedMode(cpl)
        const insn = rig.decode(bytes)
        expect(rig.attempt(() => sensitiveCheck(rig, insn))).toBeUndefined()
        rig.sensitiveTraps = { virtualIopl }
        const traps =
          cpl === 1 || cpl === 2 || (cpl === 3 && (AT_CPL3.includes(name) || (name === 'POPF' && virtualIopl === 3)))
        expect(
          rig.attempt(() => sensitiveCheck(rig, insn)),
          `cpl ${cpl}`,
        ).toEqual(traps ? GP : undefined)
      }
    }
  })
  it('leaves innocent instructions and real mode alone', () => {
    const rig = new Rig().protectedMode(1)
    rig.sensitiveTraps = { virtualIopl: 0 }
    for (const bytes of [[0x90], [0x50], [0x8b, 0xc1]])
      expect(rig.attempt(() => sensitiveCheck(rig, rig.decode(bytes)))).toBeUndefined()
    rig.state.set32(Layout.cr0, 0x10)
    expect(rig.attempt(() => sensitiveCheck(rig, rig.decode([0x9c])))).toBeUndefined()
  })
  it('finds every sensitive operation in the instruction table', () => {
    const ops = new Set(table.filter((row) => row.privilege === 'sensitive').map((row) => row.op))
    for (const bytes of Object.values(SENSITIVE)) expect(ops).toContain(new Rig().protectedMode(0).decode(bytes).op)
  })
})
