import { expect, test } from 'vitest'
import { packState, unpackState } from './state-file.ts'

const state = {
  version: 1,
  name: 'ünïcode',
  list: [1, null, true, 2 ** 52],
  parts: { ram: { version: 1, contents: Uint8Array.of(1, 2, 3) }, none: { version: 1, contents: new Uint8Array(0) } },
}

test('a state comes back as it was, byte arrays included', async () => {
  expect(await unpackState(await packState(state))).toEqual(state)
})

test('equal states give equal files', async () => {
  expect(await packState(structuredClone(state))).toEqual(await packState(state))
})

test('other files, and damaged ones wherever they are cut, are refused by name', async () => {
  const file = await packState(state)
  const refused = async (bytes: Uint8Array) =>
    await unpackState(bytes).then(
      () => 'accepted',
      (error) => error.code,
    )
  expect(await refused(new TextEncoder().encode('not a state at all'))).toBe('state-file')
  for (let length = 0; length < file.length; length++)
    expect(await refused(file.subarray(0, length))).toBe('state-file')
})
