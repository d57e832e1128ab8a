/**
 * A plugin of TypeDoc: documents are called by their first heading and stand in groups by their folder, and links to a package's README lead to the
 * package's page, which begins with it.
 */
import { globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'
import {
  type Application,
  Converter,
  type DocumentReflection,
  RendererEvent as Rendered,
  type RendererEvent,
} from 'typedoc'
import { titleOf } from './title.ts'

/** Groups in the order of the navigation, by what paths in the workspace begin with; the first that fits. */
const groups: readonly (readonly [prefix: string, group: string])[] = [
  ['docs/concepts/', 'Concepts'],
  ['docs/how-to/', 'How to'],
  ['docs/decisions/', 'Decisions'],
  ['docs/reference/', 'Tables'],
  ['docs/', 'Documents'],
  ['', 'Apps'],
]

/** What TypeDoc calls. */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context: unknown, document: DocumentReflection) => {
    const file = app.files.getReflectionPath(document)
    const path = file === undefined ? '' : relative(workspaceRoot, file).replaceAll('\\', '/')
    document.name = titleOf(document.content.map(({ text }) => text).join('')) ?? document.name
    document.frontmatter['group'] = groups.find(([prefix]) => path.startsWith(prefix))![1]
  })
  app.renderer.on(Rendered.END, ({ outputDirectory }: RendererEvent) => linkReadmes(outputDirectory))
}

/** TypeDoc copies READMEs that are linked to, and leads to the copies. */
function linkReadmes(folder: string): void {
  const pages = new Map(
    workspaceMembers()
      .filter(({ top }) => top === 'packages')
      .map(({ path, manifest }) => [
        readFileSync(join(path, 'README.md'), 'utf8'),
        `modules/${manifest.name.replaceAll(/[^a-zA-Z0-9-]/g, '_')}.html`,
      ]),
  )
  const media = join(folder, 'media')
  const found = readdirSync(media).flatMap((name): [string, string][] => {
    const page = name.endsWith('.md') ? pages.get(readFileSync(join(media, name), 'utf8')) : undefined
    return page === undefined ? [] : [[`media/${name}`, page]]
  })
  for (const name of globSync('**/*.html', { cwd: folder })) {
    const file = join(folder, name)
    const before = readFileSync(file, 'utf8')
    const after = found.reduce(
      (text, [from, to]) => text.replaceAll(`${from}"`, `${to}"`).replaceAll(`${from}#`, `${to}#`),
      before,
    )
    if (after !== before) writeFileSync(file, after)
  }
}
