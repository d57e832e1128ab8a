/**
 * Packs every package as it would be published and checks the packs: `publint` the manifest, `attw` that the types
 * resolve as the code does, and that plain Node loads every export, with the other packs beside it. The packages must
 * have been built. Exit code 1 where a check fails; then its words are printed.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Member, workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'

const bin = join(workspaceRoot, 'node_modules/.bin')
const packages = workspaceMembers().filter(({ top, manifest }) => top === 'packages' && !manifest.private)

/** Runs a command; on failure prints what it said. */
function run(command: string, args: readonly string[], cwd: string): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) console.log(`${command} ${args.join(' ')}\n${error ?? ''}${stdout}${stderr}`)
  return status === 0
}

/** Unpacks a pack where `import '@vmexit/…'` finds it, with links to what it takes from others. */
function install(member: Member, pack: string, modules: string): boolean {
  const place = join(modules, member.manifest.name)
  mkdirSync(place, { recursive: true })
  const { dependencies, peerDependencies } = member.manifest
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (packages.some(({ manifest }) => manifest.name === name)) continue
    mkdirSync(join(modules, name, '..'), { recursive: true })
    symlinkSync(join(member.path, 'node_modules', name), join(modules, name))
  }
  return run('tar', ['-xzf', pack, '--strip-components=1', '-C', place], modules)
}

/** The names by which a package's exports are imported. */
function specifiers({ manifest: { name, exports } }: Member): string[] {
  return Object.keys(exports as object)
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => name + subpath.slice(1))
}

const place = mkdtempSync(join(tmpdir(), 'vmexit-published-'))
let failures = 0
try {
  const modules = join(place, 'node_modules')
  const packs = new Map<Member, string>()
  for (const member of packages) {
    const to = join(place, 'packs', member.folder)
    mkdirSync(to, { recursive: true })
    const packed = run('pnpm', ['pack', '--pack-destination', to], member.path)
    const [file] = readdirSync(to)
    if (packed && file) packs.set(member, join(to, file))
    else failures++
  }
  for (const [member, pack] of packs) if (!install(member, pack, modules)) failures++
  for (const [member, pack] of packs) {
    const checks = {
      publint: () => run(join(bin, 'publint'), ['run', '--strict', pack], place),
      attw: () => run(join(bin, 'attw'), ['--profile', 'esm-only', pack], place),
      loads: () => {
        const imports = specifiers(member).map((name) => `await import('${name}')`)
        return run(process.execPath, ['--input-type=module', '--eval', imports.join('\n')], place)
      },
    }
    const failed = Object.entries(checks).filter(([, check]) => !check())
    failures += failed.length
    const outcome = failed.length === 0 ? Object.keys(checks).join(', ') : `FAILED ${failed.map(([name]) => name)}`
    console.log(`${member.manifest.name.padEnd(28)} ${outcome}`)
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
process.exitCode = failures > 0 ? 1 : 0
