/**
 * Every combination of rights in two levels, of access and of control, against the manual's list (SDM Vol. 3A, 4.6.1)
 * written out as an oracle of its own.
 */
import { expect, test } from 'vitest'
import { Words } from '../test/words.ts'
import { Access } from './access.ts'
import { walkControls } from './controls.ts'
import { FORMAT_32BIT, FORMAT_PAE } from './format.ts'
import { WalkResult } from './result.ts'
import { Walker } from './walker.ts'

const BOOLEANS = [false, true]

interface Case {
  kind: 'read' | 'write' | 'fetch'
  cpl3: boolean
  implicit: boolean
  writable: boolean
  userPage: boolean
  xd: boolean
  wp: boolean
  nxe: boolean
  smep: boolean
  smap: boolean
  ac: boolean
}

function allowed(c: Case): boolean {
  const supervisorMode = !c.cpl3 || c.implicit
  const smapStops = c.smap && (c.implicit || !c.ac)
  if (supervisorMode && c.kind === 'read') return c.userPage ? !smapStops : true
  if (supervisorMode && c.kind === 'write') {
    if (c.userPage && smapStops) return false
    return c.wp ? c.writable : true
  }
  if (supervisorMode) {
    if (c.userPage && c.smep) return false
    return c.nxe ? !c.xd : true
  }
  if (!c.userPage) return false
  if (c.kind === 'read') return true
  if (c.kind === 'write') return c.writable
  return c.nxe ? !c.xd : true
}

function* product<T>(...lists: readonly (readonly T[])[]): Generator<T[]> {
  const [first, ...rest] = lists
  if (first === undefined) yield []
  else for (const value of first) for (const others of product(...rest)) yield [value, ...others]
}

test.each([FORMAT_32BIT, FORMAT_PAE])('the permission matrix of $name tables', (format) => {
  const walker = new Walker(format)
  const wide = format === FORMAT_PAE
  const out = new WalkResult()
  let cases = 0
  for (const [wp, nxe, smep, smap, ac] of product(BOOLEANS, wide ? BOOLEANS : [false], BOOLEANS, BOOLEANS, BOOLEANS)) {
    const controls = walkControls({ wp, nx: nxe, smep, smap, ac })
    const xds = nxe ? BOOLEANS : [false]
    for (const [rw2, us2, xd2, rw1, us1, xd1] of product(BOOLEANS, BOOLEANS, xds, BOOLEANS, BOOLEANS, xds)) {
      for (const [cpl3, implicit] of product(BOOLEANS, BOOLEANS)) {
        for (const kind of ['read', 'write', 'fetch'] as const) {
          if (kind === 'fetch' && implicit) continue
          const tables = new Words()
          const directory = 0x2001 | (rw2 ? 2 : 0) | (us2 ? 4 : 0)
          const page = 0x3001 | (rw1 ? 2 : 0) | (us1 ? 4 : 0)
          tables.put32(0x1000, directory)
          tables.put32(0x2000, page)
          if (wide) {
            tables.put32(0x1004, xd2 ? 2 ** 31 : 0)
            tables.put32(0x2004, xd1 ? 2 ** 31 : 0)
          }
          const access =
            (cpl3 ? Access.USER : 0) |
            (implicit ? Access.IMPLICIT : 0) |
            { read: Access.READ, write: Access.WRITE, fetch: Access.FETCH }[kind]
          const permissions = { writable: rw1 && rw2, userPage: us1 && us2, xd: xd1 || xd2 }
          const expected = allowed({ kind, cpl3, implicit, wp, nxe, smep, smap, ac, ...permissions })
          const ok = wide
            ? walker.walkFrom(2, 0x1000, tables, 0, access, controls, out)
            : walker.walk(tables, 0x1000, 0, access, controls, out)
          const user = cpl3 && !implicit
          const code = 1 | (kind === 'write' ? 2 : 0) | (user ? 4 : 0) | (kind === 'fetch' && (nxe || smep) ? 16 : 0)
          if (ok !== expected || (!ok && out.errorCode !== code)) {
            expect.fail(
              JSON.stringify({
                wp,
                nxe,
                smep,
                smap,
                ac,
                kind,
                cpl3,
                implicit,
                ...permissions,
                ok,
                expected,
                code,
                got: out.errorCode,
              }),
            )
          }
          if (ok) {
            const seen = { writable: out.writable, userPage: out.user, xd: !out.executable }
            if (JSON.stringify(seen) !== JSON.stringify(permissions)) expect(seen).toEqual(permissions)
          }
          if (tables.stores.length !== (expected ? 2 : 0))
            expect.fail('flags stored without a translation, or not stored with one')
          cases++
        }
      }
    }
  }
  expect(cases).toBe(wide ? 16 * (16 + 64) * 10 : 16 * 16 * 10)
})
