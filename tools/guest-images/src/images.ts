/** The images of `packages/guests`: built by the script beside their sources, and written as a module that has them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const guests = fileURLToPath(new URL('../../../packages/guests/', import.meta.url))

/** Where the images are committed, one file each, to look at and to run. */
export const imagesFolder: string = join(guests, 'images/programs')

/** The same images as a module, which is what the package has in it. */
export const modulePath: string = join(guests, 'src/programs.generated.ts')

/** Images by name. */
export type Images = ReadonlyMap<string, Buffer>

/** Compiles all programs. */
export function buildImages(): Images {
  const folder = mkdtempSync(join(tmpdir(), 'guest-images-'))
  try {
    execFileSync(join(guests, 'programs/build.sh'), [folder], { stdio: ['ignore', 'inherit', 'inherit'] })
    return readImages(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The images in a folder, by name in ascending order. */
export function readImages(folder: string = imagesFolder): Images {
  const names = readdirSync(folder).sort()
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]))
}

/** The text of the module. */
export function moduleOf(images: Images): string {
  const entries = [...images].map(([name, bytes]) => `  ${name}: '${bytes.toString('base64')}',\n`)
  return `/** The files in \`images/programs\` as base64, written by \`tools/guest-images\`. */
export const images: { readonly [name: string]: string } = {
${entries.join('')}}
`
}

/** In what the committed files are not what `built` gives: a line each. */
export function differences(built: Images): string[] {
  const committed = readImages()
  const names = new Set([...built.keys(), ...committed.keys()])
  const wrong = [...names].flatMap((name) => {
    const [is, was] = [built.get(name), committed.get(name)]
    if (is === undefined) return [`${name}: there is no source of it`]
    if (was === undefined) return [`${name}: it is not committed`]
    return is.equals(was) ? [] : [`${name}: the sources give another image`]
  })
  if (readFileSync(modulePath, 'utf8') !== moduleOf(committed)) wrong.push('programs.generated.ts: it has other images')
  return wrong
}

/** Why the images cannot be built here byte for byte, if so: other versions of the compiler give other code. */
export function obstacle(): string | undefined {
  const first = (command: string, argument: string) => {
    try {
      return execFileSync(command, [argument], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
        '\n',
      )[0]!
    } catch {
      return 'none'
    }
  }
  const [gcc, ld] = [first('gcc', '-dumpfullversion'), first('ld', '--version')]
  if (process.arch === 'x64' && gcc.startsWith('12.2.') && / 2\.40\b/.test(ld)) return undefined
  return `the images are built with gcc 12.2 and binutils 2.40 for x64; here are gcc ${gcc} and ld ${ld} for ${process.arch}`
}
