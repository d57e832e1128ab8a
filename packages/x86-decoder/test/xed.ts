/** Reads the rows of `xed/tests-base.tsv.gz`, and spells our instructions as XED does. */
import { disassemble, type Insn, Kind } from '@vmexit/x86-decoder'
import { fromHex } from './vectors.ts'

/** One command line and what XED printed, its lines joined by `|`. */
export interface XedRow {
  readonly command: string
  readonly output: string
  readonly tool: string
  readonly bits: 16 | 32 | 64
  /** Address of the first byte (`-b`). */
  readonly base: bigint
  readonly chip: string | null
  /** The command asks for an encoding. */
  readonly encodes: boolean
  /** What is decoded: from the command, or for an encoder the bytes that it printed; empty where it printed none. */
  readonly bytes: Uint8Array
}

export function readRow(line: string): XedRow {
  const tab = line.indexOf('\t')
  const command = line.slice(0, tab).trim().replace('BUILDDIR/', '')
  const output = line.slice(tab + 1)
  const words = command.split(/\s+/)
  const option = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1]! : null)
  const encodes = words[0] === 'xed-enc' || words.includes('-e')
  const given = words
    .slice(1)
    .filter((word, n) => /^([0-9a-f]{2})+$/i.test(word) && !/^-(v|set|b|chip)/.test(words[n]!))
  return {
    command,
    output,
    tool: words[0]!,
    bits: words.includes('-64') || words[0] === 'xed-dec-ild' ? 64 : words.includes('-16') ? 16 : 32,
    base: BigInt(option('-b') ?? 0),
    chip: option('-chip') ?? option('-chip-check'),
    encodes,
    bytes: fromHex(encodes ? (/Encodable! ([0-9A-F]+)/.exec(output)?.[1] ?? '') : given.join('')),
  }
}

const conditions: Readonly<Record<string, string>> = { e: 'z', ne: 'nz', ae: 'nb', a: 'nbe', ge: 'nl', g: 'nle' }

function condition(mnemonic: string): string {
  const [, kind, code] = /^(j|set|cmov)(n?[a-z]{1,2})$/.exec(mnemonic) ?? []
  return kind && code && code in conditions ? kind + conditions[code] : mnemonic
}

/** Our disassembly in XED's spelling. */
export function xedText(insn: Insn, base: bigint): string {
  const [, prefix = '', word = '', rest = ''] = /^((?:(?:lock|repn?e?|[c-gs]s) )*)(\S+) ?(.*)$/.exec(
    disassemble(insn, base),
  )!
  let operands = rest.replace('es:[edi]', '[edi]').replace('es:[rdi]', '[rdi]').replace('es:[di]', '[di]')
  operands = operands.replace(/\b([bs]\w)\+([sd]i)/, '$1+$2*1').replace(/fword ptr/, 'ptr')
  operands = operands
    .replace(/far (0x\w+):(0x\w+)/, 'far $2, $1')
    .replace(/(^|, )((?:\w\w:)?\[)/, '$1ptr $2')
    .replace(/, 1$/, ', 0x1')
  if (word === 'xlatb') return `xlat ${prefix}`.trim()
  return `${prefix.replace('repe', 'rep')}${condition(word)} ${operands}`.trim()
}

/** XED's text without the prefixes that it shows and that have no effect. */
export function plainText(text: string): string {
  return text.replace(/^((data16|addr16|addr32|hint-taken|hint-not-taken|cs|ds|es|ss) )+/, '').trim()
}

/** Name of the instruction class that XED would print. */
export function iclass(insn: Insn): string {
  const text = disassemble(insn)
  const prefix = insn.rep === 0 ? '' : /^repn?e?/.exec(text)![0] + '_'
  const mnemonic = condition(text.replace(/^((lock|repn?e?|[c-gs]s) )*/, '').split(' ')[0]!)
  const suffix = /_far(_ind)?$/.test(insn.op)
    ? '_FAR'
    : insn.op.endsWith('_sse')
      ? '_XMM'
      : insn.op === 'sysret' && insn.opSize === 64
        ? '64'
        : insn.operands.some(({ kind }) => kind === Kind.cr)
          ? '_CR'
          : insn.operands.some(({ kind }) => kind === Kind.dr)
            ? '_DR'
            : ''
  return (prefix + mnemonic.replace('xlatb', 'xlat')).toUpperCase() + suffix + (insn.lock ? '_LOCK' : '')
}
