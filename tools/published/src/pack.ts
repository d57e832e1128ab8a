/** Packs of the packages, as npm would get them. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Member, workspaceMembers, workspaceRoot } from '@vmexit-tools/workspace'

export const bin: string = join(workspaceRoot, 'node_modules/.bin')

/** All that are published. */
export const packages: readonly Member[] = workspaceMembers().filter(
  ({ top, manifest }) => top === 'packages' && !manifest.private,
)

/** A pack. */
export interface Pack {
  readonly member: Member
  readonly file: string
  readonly bytes: number
}

/** Runs a command; on failure prints what it said. */
export function run(command: string, args: readonly string[], cwd: string): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) console.log(`${command} ${args.join(' ')}\n${error ?? ''}${stdout}${stderr}`)
  return status === 0
}

/** Packs all of them below `place`; undefined for what cannot be packed. */
export function packAll(place: string): (Pack | undefined)[] {
  return packages.map((member) => {
    const to = join(place, member.folder)
    mkdirSync(to, { recursive: true })
    const packed = run('pnpm', ['pack', '--pack-destination', to], member.path)
    const [name] = readdirSync(to)
    if (!packed || name === undefined) return undefined
    const file = join(to, name)
    return { member, file, bytes: statSync(file).size }
  })
}
