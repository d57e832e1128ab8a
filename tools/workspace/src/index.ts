/**
 * What this workspace consists of. Every tool asks here which packages there are, so a new folder below
 * `packages`, `apps` or `tools` is known to all of them by having a `package.json`.
 */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the workspace root, without a slash at its end. */
export const workspaceRoot: string = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '')

/** The fields of a `package.json` that the tools read. */
export interface Manifest {
  readonly name: string
  readonly description?: string
  readonly private?: boolean
  readonly exports?: unknown
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  /** Our own field. */
  readonly vmexit?: {
    /** Claims that the package runs in browsers: its tests run in Chromium too. */
    readonly browser?: boolean
    /** What the package is useful as by itself, such as "a decoder"; stands in the README's table. */
    readonly alone?: string
  }
}

/** The top folders that hold members. */
export type Top = 'packages' | 'apps' | 'tools'

/** One package, app or tool. */
export interface Member {
  readonly top: Top
  /** The folder's own name, such as `x86-decoder`. */
  readonly folder: string
  /** Absolute path. */
  readonly path: string
  readonly manifest: Manifest
}

/** All members, sorted by folder name within `packages`, `apps` and `tools`, in this order. */
export function workspaceMembers(root: string = workspaceRoot): Member[] {
  const tops: readonly Top[] = ['packages', 'apps', 'tools']
  return tops.flatMap((top) => {
    const above = join(root, top)
    const folders = existsSync(above) ? readdirSync(above).sort() : []
    return folders
      .map((folder) => ({ folder, path: join(above, folder) }))
      .filter(({ path }) => existsSync(join(path, 'package.json')))
      .map(({ folder, path }) => ({
        top,
        folder,
        path,
        manifest: JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest,
      }))
  })
}

/** What a source file of a member is for; the rules for each differ. */
export type SourceKind = 'source' | 'test'

/** One TypeScript file of a member. */
export interface SourceFile {
  readonly member: Member
  /** Path below the member's folder with forward slashes, such as `src/index.ts`. */
  readonly name: string
  readonly kind: SourceKind
  readonly text: string
}

/** The TypeScript files below a member's `src` and `test`, sorted by name. */
export function sourceFiles(member: Member): SourceFile[] {
  return globSync('{src,test}/**/*.{ts,tsx}', { cwd: member.path })
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
    .map((name) => ({
      member,
      name,
      kind: name.startsWith('test/') || /\.(test|test-d)\.tsx?$/.test(name) ? 'test' : 'source',
      text: readFileSync(join(member.path, name), 'utf8'),
    }))
}
