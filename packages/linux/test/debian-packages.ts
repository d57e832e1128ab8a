/** Programs of Debian's i386 packages, as `vmexit guests` fetches them: bash, util-linux, procps, python3. */
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tree } from './run.ts'

const packages = join(homedir(), '.cache/vmexit/guests/packages')
/** What a shell needs, and what separates programs. */
const SHELL = [
  ...['bash', 'coreutils', 'libc6', 'libtinfo6', 'libacl1', 'libattr1', 'libgmp10', 'libpcre2-8-0', 'libselinux1'],
  ...['grep', 'util-linux', 'libmount1', 'libblkid1', 'libsmartcols1', 'libcap-ng0', 'libaudit1', 'libcrypt1'],
  ...['libpam0g', 'libsystemd0', 'libcap2', 'libgcrypt20', 'liblzma5', 'libzstd1', 'liblz4-1', 'libgpg-error0'],
  ...['procps', 'libproc2-0', 'libncursesw6', 'zlib1g', 'hostname'],
]
const PYTHON = ['python3.11-minimal', 'libpython3.11-minimal', 'libpython3.11-stdlib', 'libexpat1']
/** What nobody runs. */
const UNUSED = /\/(doc|man|locale|gconv|bash-completion|lib2to3|idlelib|pydoc_data|ensurepip|unittest|distutils)$/

let known: Tree | undefined

/** The files of the packages by path; undefined where they have not been fetched, or nothing here unpacks them. */
export function debianPackages(): Tree | undefined {
  if (known !== undefined || !existsSync(packages)) return known
  const there = readdirSync(packages)
  const wanted = [...SHELL, ...PYTHON].map((name) =>
    there.find((each) => each.startsWith(`${name}_`) && each.endsWith('_i386.deb')),
  )
  if (
    wanted.some(
      (each, n) => each === undefined && ['bash', 'libc6', 'util-linux', ...PYTHON].includes([...SHELL, ...PYTHON][n]!),
    )
  )
    return undefined
  const root = mkdtempSync(join(tmpdir(), 'vmexit-debian-'))
  try {
    for (const each of wanted) if (each !== undefined) execFileSync('dpkg-deb', ['-x', join(packages, each), root])
    const files: Record<string, Tree[string]> = {}
    collect(root, '', files)
    files['/bin/sh'] = { link: 'bash' }
    files['/etc/passwd'] = new TextEncoder().encode('root:x:0:0::/root:/bin/bash\nuser:x:1000:1000::/tmp:/bin/bash\n')
    known = files
  } catch {
    return undefined
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
  return known
}

function collect(root: string, directory: string, files: Record<string, Tree[string]>): void {
  for (const name of readdirSync(join(root, directory))) {
    const path = `${directory}/${name}`
    const at = join(root, path)
    const stat = lstatSync(at)
    if (UNUSED.test(path)) continue
    if (stat.isDirectory()) collect(root, path, files)
    else files[path] = stat.isSymbolicLink() ? { link: readlinkSync(at) } : readFileSync(at)
  }
}
