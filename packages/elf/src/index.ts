/**
 * `@vmexit/elf`: a strict reader of ELF files, of 32 and 64 bits and either byte order. Files may be hostile.
 *
 * @packageDocumentation
 */
export type { ElfErrorCode } from './bytes.ts'
export {
  DynamicTag,
  FileType,
  MachineType,
  machineName,
  SectionFlag,
  SectionType,
  SegmentFlag,
  SegmentType,
} from './constants.ts'
export {
  type Dynamic,
  type DynamicEntry,
  type ElfNote,
  type ElfSymbol,
  readDynamic,
  readInterpreter,
  readNotes,
  readSymbols,
} from './contents.ts'
export { type Elf, isElf, readElf, type Section, type Segment } from './elf.ts'
export { type AddressKind, addressOf, loadableSegments } from './load.ts'
