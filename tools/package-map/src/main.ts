/** Writes the table of packages in README.md and docs/reference/packages.md, and that of system calls; with `--check`, says whether they are so. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { i386, supportPage } from '@vmexit/linux'
import { workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'
import { mapPage, readmeTable, replaceBetweenMarks } from './map.ts'

const members = workspaceMembers()
const text = (name: string) => {
  const path = join(workspaceRoot, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
const pages = {
  'README.md': replaceBetweenMarks(text('README.md'), readmeTable(members)),
  'docs/reference/packages.md': mapPage(members),
  'docs/reference/system-calls.md': supportPage(i386),
}

const stale = Object.entries(pages).filter(([name, page]) => page !== text(name))
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.log(`${name} is not what the sources say: run \`npx -y pnpm@12 package-map\``)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const [name, page] of stale) {
    mkdirSync(dirname(join(workspaceRoot, name)), { recursive: true })
    writeFileSync(join(workspaceRoot, name), page)
    console.log(`${name} written`)
  }
}
