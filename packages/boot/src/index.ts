/**
 * `@vmexit/boot`: boot loaders. A loader decides what goes where in memory and where the CPU begins; `applyBoot` carries
 * it out.
 *
 * @packageDocumentation
 */
export { applyBoot, type BootMachine } from './apply.ts'
export type { CpioCommon, CpioEntry, CpioErrorCode } from './cpio/entry.ts'
export { readCpio } from './cpio/read.ts'
export { concatenateArchives, writeCpio } from './cpio/write.ts'
export { describeBoot } from './describe.ts'
export type { BootErrorCode } from './errors.ts'
export type { FirmwareOptions } from './firmware.ts'
export { type Guest, type GuestNeeds, type GuestPart, guest } from './guest.ts'
export type {
  BootEntry,
  BootImage,
  BootPiece,
  BootRange,
  BootTarget,
  FramebufferScreen,
  Loader,
  MapEntry,
  MapKind,
  PlacedTable,
  Screen,
  TextScreen,
} from './image.ts'
export { type LinuxOptions, linux } from './linux/linux.ts'
export { type MultibootModule, type MultibootOptions, multiboot } from './multiboot/multiboot.ts'
export { type RawOptions, raw } from './raw.ts'
export { type RomOptions, rom } from './rom.ts'
