import { Cap, capabilitySet } from '@vmexit/linux'
import { expect, test } from 'vitest'
import { capabilitiesOf, setsOf } from './capabilities.ts'

const all = capabilitySet(Object.values(Cap))

test.each<[drop: string[], add: string[], expected: bigint]>([
  [[], [], 0xa80425fbn],
  [['ALL'], [], 0n],
  [['all'], ['CAP_KILL', 'chown'], capabilitySet([Cap.KILL, Cap.CHOWN])],
  [[], ['ALL'], all],
  [['NET_RAW'], ['ALL'], all & ~capabilitySet([Cap.NET_RAW])],
  [['MKNOD', 'SYS_ADMIN'], ['SYS_TIME'], (0xa80425fbn & ~capabilitySet([Cap.MKNOD])) | capabilitySet([Cap.SYS_TIME])],
])('without %j and with %j a container has what Docker gives it', (drop, add, expected) => {
  expect(capabilitiesOf(drop, add)).toBe(expected)
})

test('who is not root has none, and gets none beyond the container’s', () => {
  expect(setsOf(5n, false)).toEqual({ permitted: 0n, effective: 0n, inheritable: 0n, bounding: 5n, ambient: 0n })
})

test('a name that means nothing is refused', () => {
  expect(() => capabilitiesOf(['toString'])).toThrow('there is no capability toString')
})
