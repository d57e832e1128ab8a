/**
 * The CPU that a guest of VT-x sees. Its registers are in the machine's CPU while it runs there, in the VMCS after an exit, and in the
 * VMM's own memory when another VM is on the CPU.
 */
import type { Vm } from '@vmexit/core'
import type { VtxVcpu } from '@vmexit/vtx'
import { exitReasonName, VmcsField } from '@vmexit/x86'
import { type PcCpu, positionOf } from './pc-cpu.ts'

/** That of a VM whose execution strategy is `vtx()`. */
export function vtxCpu(vm: Vm): PcCpu {
  const vcpu = vm.find('cpu') as VtxVcpu
  const { host, emulator } = vcpu.parts
  const { cpu, root } = host
  return {
    executes: cpu,
    position: () => {
      if (!host.isOn(vcpu.state)) return positionOf(emulator)
      return root.inGuest ? positionOf(cpu) : { cs: root.read('guestCsSelector'), ip: root.read('guestRip') }
    },
    interruptible: () => vcpu.wakeable,
    inspect: () => {
      vcpu.state.toEmulator()
      return emulator
    },
    watchExits(watch) {
      const observer = {
        onExit: (reason: number) =>
          watch({
            reason: kebab(exitReasonName(reason) ?? String(reason)),
            ip: root.read(VmcsField.guestRip),
            qualification: root.exit.qualification,
            instructions: vcpu.retired,
          }),
      }
      vcpu.observer = observer
      return {
        [Symbol.dispose]() {
          if (vcpu.observer === observer) vcpu.observer = {}
        },
      }
    },
  }
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
