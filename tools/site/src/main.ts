/** Checks the links of the site that TypeDoc has written. Exit code 1 where one leads nowhere; then it is printed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { workspaceRoot } from '@vmexit-tools/workspace'
import { brokenLinks } from './links.ts'

const folder = join(workspaceRoot, 'site')
if (existsSync(join(folder, 'index.html'))) {
  const { broken, pages, links } = brokenLinks(folder)
  for (const { page, target } of broken) console.log(`${page}: ${target} leads nowhere`)
  console.log(`${pages} pages, ${links} links, ${broken.length} of them broken`)
  process.exitCode = broken.length > 0 ? 1 : 0
} else {
  console.log('there is no site: write it with the check `docs`')
  process.exitCode = 1
}
