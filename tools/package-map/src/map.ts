/** Words the tables of packages, from manifests. */
import { floorOf } from '@vmexit-tools/floors'
import type { Member } from '@vmexit-tools/workspace'

/** The packages that have a floor, the lowest first, by name within a floor. */
function byFloor(members: readonly Member[]): { member: Member; floor: number }[] {
  return members
    .flatMap((member) => {
      const floor = floorOf(member.manifest.name)
      return member.top === 'packages' && floor !== undefined ? [{ member, floor }] : []
    })
    .sort((a, b) => a.floor - b.floor || (a.member.folder < b.member.folder ? -1 : 1))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** The README's table: name, what it is, and what it is good for by itself. */
export function readmeTable(members: readonly Member[]): string {
  const rows = byFloor(members).map(({ member: { folder, manifest } }) => [
    `[${manifest.name}](packages/${folder}/README.md)`,
    manifest.description ?? '',
    manifest.vmexit?.alone ?? '',
  ])
  return table(['package', 'what it is', 'alone useful as'], rows)
}

/** The page of the docs: every package with its floor and what it depends on. */
export function mapPage(members: readonly Member[]): string {
  const rows = byFloor(members).map(({ member: { folder, manifest }, floor }) => [
    `${floor}`,
    `[${manifest.name}](../../packages/${folder}/README.md)`,
    manifest.description ?? '',
    Object.keys(manifest.dependencies ?? {})
      .map((name) => name.replace('@vmexit/', ''))
      .join(', ') || '–',
    manifest.vmexit?.browser ? 'yes' : 'no',
  ])
  return `# The map of packages

Written by \`npx -y pnpm@12 package-map\` from the packages' manifests. A package depends only on floors below its own.

${table(['floor', 'package', 'what it is', 'depends on', 'runs in browsers'], rows)}
`
}

const open = '<!-- packages: written by `npx -y pnpm@12 package-map` -->'
const close = '<!-- /packages -->'

/** A text with what stands between the two marks replaced. A text without them is an error. */
export function replaceBetweenMarks(text: string, inner: string): string {
  const start = text.indexOf(open)
  const end = text.indexOf(close)
  if (start < 0 || end < start) throw new Error(`README.md has no place for the table: put ${open} and ${close} there`)
  return `${text.slice(0, start + open.length)}\n${inner}\n${text.slice(end)}`
}
