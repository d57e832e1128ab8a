/** The page that says which system calls there are: from a table, so that it is true. */
import type { CallTable } from './table.ts'

/** The page, as Markdown. */
export function supportPage(table: CallTable): string {
  const rows = table.rows.filter((row) => row !== undefined)
  const partial = rows.filter(({ support }) => support !== 'full')
  const absent = [...table.absent].toSorted(([a], [b]) => a - b)
  return `# System calls of ${table.abi}

Written by \`npx -y pnpm@12 package-map\` from the table in \`packages/linux/src/abi/${table.abi}\`: ${rows.length} calls. A call that is not
here answers ENOSYS, and is counted; \`vmexit run-elf --stats\` lists those that a program has tried.

| number | call | |
| --- | --- | --- |
${rows.map(({ number, name, support }) => `| ${number} | ${name} | ${support === 'full' ? '' : support} |`).join('\n')}

${partial.length} of them are there in part: the last column says what of them, or what not.

## Calls that Linux has besides

${absent.map(([number, name]) => `${name} (${number})`).join(', ')}
`
}
