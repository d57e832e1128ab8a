/** ACPI power management as a part: fixed hardware at 0x600, its command port at 0xb2. */
import { definePart, type Part } from '@vmexit/core'
import { PowerManagement, type PowerManagementState } from './power-management.ts'

/** How power management is attached. */
export interface AcpiPowerOptions {
  /** The first of its twelve ports; 0x600 unless stated. */
  readonly port?: number
  /** The system control interrupt; 9 unless stated. */
  readonly irq?: number
}

/** What `machine.of(acpiPower)` is. */
export interface AcpiPowerApi {
  readonly powerManagement: PowerManagement
  /** Presses the power button, through the machine's input gate: an operating system with ACPI then shuts down. */
  pressPowerButton(): void
  reset(): void
  save(): PowerManagementState
  restore(state: PowerManagementState): void
}

/** The PM timer, the power button, and soft-off, which powers the machine off. */
export function acpiPower({ port = 0x600, irq = 9 }: AcpiPowerOptions = {}): Part<{
  name: 'acpi-power'
  needs: 'ports' | 'interrupts' | 'clock' | 'input' | 'power'
  api: AcpiPowerApi
}> {
  return definePart({
    name: 'acpi-power',
    needs: ['ports', 'interrupts', 'clock', 'input', 'power'],
    build({ ports, interrupts, clock, input, power }, _, { name }): AcpiPowerApi {
      const chip = new PowerManagement({ clock, sci: interrupts.line(irq), onSoftOff: () => power.request('off') })
      ports.claim(name, port, chip.regions.registers)
      ports.claim(name, 0xb2, chip.regions.command)
      const button = input.open<null>(name, () => chip.pressPowerButton())
      return {
        powerManagement: chip,
        pressPowerButton: () => button.post(null),
        reset: () => chip.reset(),
        save: () => chip.save(),
        restore: (state) => chip.restore(state),
      }
    },
  })
}
