/** What a guest can see of its PC, by name, and what of it differs between two PCs. */
import type { StateValue } from '@vmexit/core'
import type { Pc } from '../pc.ts'
import type { Difference } from './equivalence.ts'
import { isNote } from './tolerated.ts'

/** Registers and what is pending, by name; all as text. */
export type GuestRegisters = Readonly<Record<string, string>>

/** The registers of a guest in the order in which people read them. */
export function registersOf(pc: Pc): GuestRegisters {
  const cpu = pc.inspectCpu()
  const { registers, msrs, events } = cpu.save()
  const all: Record<string, string> = {}
  for (const [name, value] of Object.entries(registers)) if (!isNote(name)) all[nameOf(name)] = value.slice(-8)
  for (const [name, value] of Object.entries(registers)) if (/^(fpr|xmm)[0-7]$/.test(name)) all[name] = value
  for (const segment of ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr']) {
    // Without P it cannot be used: there is only the selector.
    if ((Number.parseInt(all[`${segment}.attributes`]!, 16) & 0x80) !== 0) continue
    for (const field of ['base', 'limit', 'attributes']) all[`${segment}.${field}`] = '-'
  }
  for (const [name, value] of Object.entries(msrs)) all[`msr ${name}`] = value
  for (const name of ['shadow', 'pendingDebug', 'nmiBlocked'] as const) all[name] = `${events[name]}`
  const virtual = pc.system.find('cpu')!
  all['halted'] = `${virtual.halted}`
  const pae = (Number.parseInt(all['cr4']!, 16) & 0x20) !== 0 && Number.parseInt(all['cr0']!, 16) >= 0x8000_0000
  if (pae) all['pdptes'] = [...cpu.paging.mmu.pdptes].map((half) => half.toString(16).padStart(8, '0')).join(' ')
  return all
}

/** The registers of 32 bits have the names of 32 bits. */
const nameOf = (register: string): string => (/^r[a-z]+$/.test(register) ? `e${register.slice(1)}` : register)

/** Time as the guest's chips see it. */
export function timeOf({ system }: Pc): Readonly<Record<string, string>> {
  const counters = system.get('counters')
  return {
    instructions: `${counters.get('instructions')}`,
    time: `${system.get('clock').now}`,
    'idle time': `${counters.get('idle-ticks')}`,
  }
}

/** What is not the same. */
export function differencesOf(native: GuestRegisters, vm: GuestRegisters): Difference[] {
  return [...new Set([...Object.keys(native), ...Object.keys(vm)])]
    .filter((name) => native[name] !== vm[name])
    .map((name) => ({ name, native: native[name] ?? 'none', vm: vm[name] ?? 'none' }))
}

/** The states of the parts that both have: chips and what is at their lines. */
export function deviceDifferences(native: Pc, vm: Pc, most = 32): Difference[] {
  const found: Difference[] = []
  const others = new Map(vm.system.parts.map(({ name, api }) => [name, api]))
  for (const { name, api } of native.system.parts) {
    const other = others.get(name)
    if (api.save === undefined || other?.save === undefined || 'guestMemory' in api || 'x86' in api) continue
    compare(name, api.save(), other.save(), found)
  }
  return found.slice(0, most)
}

function compare(path: string, native: StateValue | undefined, vm: StateValue | undefined, found: Difference[]): void {
  if (Object.is(native, vm)) return
  if (native instanceof Uint8Array && vm instanceof Uint8Array) {
    if (native.length === vm.length && native.every((byte, n) => byte === vm[n])) return
    const at = native.findIndex((byte, n) => byte !== vm[n])
    found.push({ name: `${path}[${at}]`, native: `${native[at]}`, vm: `${vm[at]}` })
    return
  }
  if (isRecord(native) && isRecord(vm)) {
    for (const field of new Set([...Object.keys(native), ...Object.keys(vm)]))
      compare(`${path}.${field}`, native[field], vm[field], found)
    return
  }
  found.push({ name: path, native: JSON.stringify(native) ?? 'none', vm: JSON.stringify(vm) ?? 'none' })
}

const isRecord = (value: StateValue | undefined): value is Readonly<Record<string, StateValue>> =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
