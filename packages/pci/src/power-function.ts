/**
 * The power management function of a PC: that of a PIIX4, 82371AB, function 3 (82371AB datasheet, 290562, 7.3), which firmware
 * looks for before it offers ACPI. Its ports are another part's, and stay where they are: the base address is fixed.
 */
import type { PciFunctionOptions } from './function.ts'

/** Function 1.3. `port` is the first port of the fixed hardware of ACPI. */
export function powerFunction(port: number): PciFunctionOptions {
  return {
    name: 'power-management',
    at: { device: 1, function: 3 },
    vendorId: 0x8086,
    deviceId: 0x7113,
    classCode: 0x06_8000,
    revision: 3,
    command: { value: 0x0001, writable: 0 },
    status: 0x0280,
    config: [
      { name: 'power management base', offset: 0x40, bytes: 4, value: port | 1 },
      { name: 'power management access', offset: 0x80, bytes: 1, value: 1, writable: 1 },
      { name: 'SMBus base', offset: 0x90, bytes: 4, value: 1 },
    ],
  }
}
