/** The commands of an 82077AA (data sheet, table 5-1). */

/** What a command is. */
export type CommandName =
  | 'read-track'
  | 'specify'
  | 'sense-drive-status'
  | 'write-data'
  | 'read-data'
  | 'recalibrate'
  | 'sense-interrupt-status'
  | 'write-deleted-data'
  | 'read-id'
  | 'read-deleted-data'
  | 'format-track'
  | 'dump-registers'
  | 'seek'
  | 'version'
  | 'perpendicular-mode'
  | 'configure'
  | 'lock'
  | 'verify'
  | 'relative-seek'
  | 'invalid'

/** A command's first byte and what follows it. */
export interface CommandDefinition {
  readonly name: CommandName
  /** The first byte, where the bits of `options` are 0. */
  readonly opcode: number
  /** Bits of the first byte that say how: multi-track 0x80, MFM 0x40, skip 0x20, or what the command makes of them. */
  readonly options: number
  /** Bytes that follow. */
  readonly parameters: number
}

// biome-ignore format: a table
const commands: readonly CommandDefinition[] = [
  { name: 'read-track',             opcode: 0x02, options: 0x40, parameters: 8 },
  { name: 'specify',                opcode: 0x03, options: 0x00, parameters: 2 },
  { name: 'sense-drive-status',     opcode: 0x04, options: 0x00, parameters: 1 },
  { name: 'write-data',             opcode: 0x05, options: 0xc0, parameters: 8 },
  { name: 'read-data',              opcode: 0x06, options: 0xe0, parameters: 8 },
  { name: 'recalibrate',            opcode: 0x07, options: 0x00, parameters: 1 },
  { name: 'sense-interrupt-status', opcode: 0x08, options: 0x00, parameters: 0 },
  { name: 'write-deleted-data',     opcode: 0x09, options: 0xc0, parameters: 8 },
  { name: 'read-id',                opcode: 0x0a, options: 0x40, parameters: 1 },
  { name: 'read-deleted-data',      opcode: 0x0c, options: 0xe0, parameters: 8 },
  { name: 'format-track',           opcode: 0x0d, options: 0x40, parameters: 5 },
  { name: 'dump-registers',         opcode: 0x0e, options: 0x00, parameters: 0 },
  { name: 'seek',                   opcode: 0x0f, options: 0x00, parameters: 2 },
  { name: 'version',                opcode: 0x10, options: 0x00, parameters: 0 },
  { name: 'perpendicular-mode',     opcode: 0x12, options: 0x00, parameters: 1 },
  { name: 'configure',              opcode: 0x13, options: 0x00, parameters: 3 },
  { name: 'lock',                   opcode: 0x14, options: 0x80, parameters: 0 },
  { name: 'verify',                 opcode: 0x16, options: 0xe0, parameters: 8 },
  { name: 'relative-seek',          opcode: 0x8f, options: 0x40, parameters: 2 },
]

const invalid: CommandDefinition = { name: 'invalid', opcode: 0, options: 0xff, parameters: 0 }

/** The command that a first byte begins. */
export function commandOf(first: number): CommandDefinition {
  return commands.find(({ opcode, options }) => (first & ~options) === opcode) ?? invalid
}

/** Status register 0. */
export const st0 = { abnormal: 0x40, invalid: 0x80, polling: 0xc0, seekEnd: 0x20, equipmentCheck: 0x10 } as const
/** Status register 1. */
export const st1 = {
  endOfCylinder: 0x80,
  dataError: 0x20,
  overrun: 0x10,
  noData: 0x04,
  notWritable: 0x02,
  missingAddressMark: 0x01,
} as const
/** Status register 2. */
export const st2 = { controlMark: 0x40, dataErrorInData: 0x20, wrongCylinder: 0x10 } as const
