import { Clock } from '@vmexit/core'
import { expect, test } from 'vitest'
import { at, bytes, connected, pair, pass } from '../test/hosts.ts'
import {
  Errno,
  interfaceList,
  interfaceRequest,
  NetStack,
  procNetArp,
  procNetDev,
  procNetRoute,
  procNetTcp,
  procNetUdp,
  routeRequest,
  Sioc,
} from './index.ts'

test('ifconfig eth0 10.0.0.5 netmask 255.255.255.0 up; route add default gw 10.0.0.1', () => {
  const stack = new NetStack({ clock: new Clock(), seed: 1 })
  const device = stack.addDummy({ name: 'eth0' })!
  const ask = (request: number, value = 0, name = 'eth0') => interfaceRequest(stack, request, name, value)
  expect(ask(Sioc.getAddress)).toBe(-Errno.EADDRNOTAVAIL)
  expect(ask(Sioc.setAddress, at('10.0.0.5').address)).toBe(0)
  expect(ask(Sioc.getNetmask)).toBe(0xff00_0000)
  expect(ask(Sioc.setNetmask, 0xffff_ff00)).toBe(0)
  expect(ask(Sioc.setNetmask, 0xff00_ff00)).toBe(-Errno.EINVAL)
  expect([ask(Sioc.getAddress), ask(Sioc.getNetmask), ask(Sioc.getBroadcast)]).toEqual([
    0x0a00_0005, 0xffff_ff00, 0x0a00_00ff,
  ])
  expect([ask(Sioc.getFlags) & 1, ask(Sioc.getIndex), ask(Sioc.getMac)]).toEqual([1, device.index, device.mac])
  expect(ask(Sioc.getFlags, 0, 'eth9')).toBe(-Errno.ENODEV)
  expect(ask(0x8999)).toBe(-Errno.EINVAL)
  expect(interfaceList(stack)).toEqual([
    { name: 'lo', address: 0x7f00_0001 },
    { name: 'eth0', address: 0x0a00_0005 },
  ])
  const route = { destination: 0, netmask: 0, gateway: 0x0a00_0001, metric: 0, device: undefined }
  expect(routeRequest(stack, true, route)).toBe(0)
  expect(routeRequest(stack, true, route)).toBe(-Errno.EEXIST)
  expect(routeRequest(stack, true, { ...route, netmask: 0xff00_ff00 })).toBe(-Errno.EINVAL)
  expect(procNetRoute(stack).split('\n')[1].trimEnd()).toBe(
    'eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  )
  expect(routeRequest(stack, false, route)).toBe(0)
  expect(routeRequest(stack, false, route)).toBe(-Errno.ESRCH)
})

test('brctl addbr, addif, delif, delbr', () => {
  const stack = new NetStack({ clock: new Clock(), seed: 1 })
  const device = stack.addDummy({ name: 'eth0' })!
  const ask = (request: number, value = 0) => interfaceRequest(stack, request, 'br0', value)
  expect([ask(Sioc.deleteBridge), ask(Sioc.addBridge), ask(Sioc.addBridge)]).toEqual([-Errno.ENXIO, 0, -Errno.EEXIST])
  expect([ask(Sioc.addToBridge, device.index), ask(Sioc.addToBridge, device.index)]).toEqual([0, -Errno.EBUSY])
  expect(device.master?.name).toBe('br0')
  expect([ask(Sioc.deleteFromBridge, device.index), ask(Sioc.deleteBridge)]).toEqual([0, 0])
})

test('/proc/net: dev, arp, tcp, udp as Linux writes them', () => {
  const hosts = pair()
  const { client } = connected(hosts)
  client.send(bytes('x'))
  pass(hosts.clock, 1e9)
  const [, , lo, eth0] = procNetDev(hosts.a).split('\n')
  expect(lo.replace(/ +/g, ' ')).toBe(' lo: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0')
  expect(eth0).toMatch(/^ {2}eth0: +\d+ +\d+ /)
  expect(procNetArp(hosts.a).split('\n')[1]).toMatch(/^10\.0\.0\.2 {9}0x1 {9}0x2 {9}02(:..){5} {5}\* {8}eth0$/)
  expect(procNetTcp(hosts.a).split('\n')[1]).toMatch(/^ {3}0: 0100000A:[0-9A-F]{4} 0200000A:0050 01 00000000:00000000 /)
  const socket = hosts.a.udpSocket()
  socket.bind(at('127.0.0.1:53'))
  expect(procNetUdp(hosts.a).split('\n')[1]).toMatch(/^ {4}0: 0100007F:0035 00000000:0000 07 /)
})
