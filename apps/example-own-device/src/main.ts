/** Composes a machine with our own device, throws the dice, and goes on from a saved state in a second machine. */
import { createMachine } from '@vmexit/core'
import { dice, log, noMemory, out, toyCpu, toyPic, wait } from './index.ts'

const cpu = toyCpu([out(0x241, 1), wait, log(0x240)])
const make = () => createMachine({ memory: noMemory(), cpu, devices: [toyPic(), dice({ seed: 2026 })] })

await using machine = await make()
machine.runSlice({ instructions: 9 })
console.log(`thrown: ${machine.of(cpu).cpu.log.join(' ')}`)
console.log(`virtual seconds: ${machine.get('clock').now / machine.get('clock').frequency}`)

const state = JSON.parse(JSON.stringify(machine.save()))
await using other = await make()
other.restore(state)
for (const each of [machine, other]) each.runSlice({ instructions: 6 })
console.log(`then, here and in the restored machine: ${machine.of(cpu).cpu.log.slice(3)} and ${other.of(cpu).cpu.log}`)
