/**
 * `@vmexit/chipset`: the chips of a PC, each a part. A chip knows offsets, lines and a clock; its part gives it ports
 * and an interrupt.
 *
 * @packageDocumentation
 */

export type { DsdtOptions, PciDescription, SerialPortDescription } from './acpi/dsdt.ts'
export {
  acpiDisable,
  acpiEnable,
  PowerManagement,
  type PowerManagementOptions,
  type PowerManagementState,
  pmTimerFrequency,
  softOffType,
} from './acpi/power-management.ts'
export { type AcpiPowerApi, type AcpiPowerOptions, acpiPower } from './acpi/power-part.ts'
export { type ResetPortApi, type ResetPortState, resetPort } from './acpi/reset-port.ts'
export { acpiFiles } from './acpi/table-loader.ts'
export { type AcpiTable, type AcpiTablesOptions, acpiTables } from './acpi/tables.ts'
export { ApicSystem, type ApicSystemOptions, type ApicSystemState } from './apic/apic-system.ts'
export { IoApic, type IoApicState, ioApicInputs } from './apic/io-apic.ts'
export { LocalApic, type LocalApicOptions, type LocalApicState } from './apic/local-apic.ts'
export { type ApicMessage, type CpuSignals, deliveryMode } from './apic/message.ts'
export { type ApicApi, type ApicOptions, apic, ioApicAddress, localApicAddress } from './apic/part.ts'
export type { ApicTimerState } from './apic/timer.ts'
export { type DebugConsoleOptions, debugConsole } from './debug/console-port.ts'
export { type ExitPortApi, type ExitPortOptions, type ExitPortState, exitPort } from './debug/exit-port.ts'
export { type PostPortApi, type PostPortOptions, type PostPortState, postPort } from './debug/post-port.ts'
export type { ChannelState as DmaChannelState, DmaChannel, DmaProgress } from './dma/channel.ts'
export { I8237, type I8237Options, type I8237State } from './dma/i8237.ts'
export { DmaPair, type DmaPairOptions, type DmaPairState } from './dma/pair.ts'
export { type DmaApi, type DmaOptions, dma } from './dma/part.ts'
export type { CommandName as FloppyCommandName } from './floppy/commands.ts'
export type { DataCommand as FloppyDataCommand } from './floppy/data-command.ts'
export { FloppyDrive, type FloppyDriveState, type Track as FloppyTrack } from './floppy/drive.ts'
export type { ExecutionState as FloppyExecutionState } from './floppy/execution.ts'
export { type FloppyDriveType, type FloppyFormat, floppyDriveFor } from './floppy/formats.ts'
export { I82077, type I82077Options, type I82077State } from './floppy/i82077.ts'
export { type FloppyApi, type FloppyDriveOptions, type FloppyOptions, floppy } from './floppy/part.ts'
export type { SeeksState as FloppySeeksState } from './floppy/seeks.ts'
export { FwCfg, type FwCfgState } from './fw-cfg/fw-cfg.ts'
export { fwCfgKey } from './fw-cfg/keys.ts'
export type { LinuxItems } from './fw-cfg/linux-items.ts'
export { type FwCfgApi, type FwCfgOptions, fwCfg } from './fw-cfg/part.ts'
export { IdeBusMaster, type IdeBusMasterOptions, type IdeBusMasterState } from './ide/bus-master.ts'
export { AtapiCd, type AtapiCdOptions, type AtapiCdState } from './ide/cd.ts'
export { CdUnit, type CdUnitState, type Outcome, type Sense } from './ide/cd-unit.ts'
export { IdeChannel, type IdeChannelOptions, type IdeChannelState } from './ide/channel.ts'
export { AtaDisk, type AtaDiskOptions, type AtaDiskState } from './ide/disk.ts'
export { type DriveHost, type DriveState, IdeDrive, type Phase } from './ide/drive.ts'
export {
  type IdeApi,
  type IdeCableOptions,
  type IdeCableState,
  type IdeDriveOptions,
  type IdeDriveState,
  type IdeOptions,
  type IdeState,
  ide,
} from './ide/part.ts'
export { type Geometry, Taskfile, type TaskfileState } from './ide/taskfile.ts'
export type { PcMemory } from './pc-memory.ts'
export { type Acknowledged, I8259, type I8259Options, type I8259State } from './pic/i8259.ts'
export { PicPair, type PicPairState } from './pic/pair.ts'
export { type PicApi, pic } from './pic/part.ts'
export type { CounterState } from './pit/counter.ts'
export { I8254, type I8254Options, type I8254State, pitFrequency } from './pit/i8254.ts'
export { type PitApi, type PitOptions, type PitState, pit } from './pit/part.ts'
export { SystemPort, type SystemPortState } from './pit/system-port.ts'
export type { Ps2Device } from './ps2/device.ts'
export { FastA20, type FastA20Options, type FastA20State } from './ps2/fast-a20.ts'
export { I8042, type I8042Options, type I8042State } from './ps2/i8042.ts'
export { type KeyboardLeds, Ps2Keyboard, type Ps2KeyboardOptions, type Ps2KeyboardState } from './ps2/keyboard.ts'
export { type MouseMotion, Ps2Mouse, type Ps2MouseState } from './ps2/mouse.ts'
export {
  type KeyboardControllerApi,
  type KeyboardControllerOptions,
  type KeyboardControllerState,
  keyboardController,
} from './ps2/part.ts'
export type { BootDevice, CmosContents, FloppyType } from './rtc/cmos.ts'
export { Mc146818, type Mc146818Options, type Mc146818State } from './rtc/mc146818.ts'
export { type RtcApi, type RtcOptions, rtc } from './rtc/part.ts'
export type { ModemControl, ModemLines } from './uart/modem.ts'
export { type SerialPort, type UartApi, type UartOptions, uart } from './uart/part.ts'
export type { ReceiverState } from './uart/receiver.ts'
export type { TransmitterState } from './uart/transmitter.ts'
export { Uart16550, type Uart16550Options, type Uart16550State } from './uart/uart16550.ts'
