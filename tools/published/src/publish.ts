/**
 * Publishes what npm does not have yet, as the release workflow runs it: packs the packages, each with the repository that it comes from, which npm
 * compares with the provenance; and hands the packs to npm. `--dry-run` tells what would be published. The packages must have been built.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll, packages, run } from './pack.ts'

const dryRun = process.argv.includes('--dry-run')
const repository = process.env['GITHUB_REPOSITORY']
if (repository === undefined && !dryRun) {
  throw new Error('GITHUB_REPOSITORY is not set: the release workflow publishes, with the provenance of its run')
}

/** Whether npm has this version already, as after a run that broke off. */
function isPublished(name: string, version: string): boolean {
  const { status } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--silent'], { encoding: 'utf8' })
  return status === 0
}

const place = mkdtempSync(join(tmpdir(), 'vmexit-publish-'))
const manifests = packages.map(({ path }) => join(path, 'package.json'))
const before = manifests.map((file) => readFileSync(file, 'utf8'))
let failed = false
try {
  for (const [n, { folder }] of packages.entries()) {
    const url = `git+https://github.com/${repository ?? 'OWNER/NAME'}.git`
    const manifest = { ...JSON.parse(before[n]!), repository: { type: 'git', url, directory: `packages/${folder}` } }
    writeFileSync(manifests[n]!, `${JSON.stringify(manifest, undefined, 2)}\n`)
  }
  for (const pack of packAll(place)) {
    if (pack === undefined) failed = true
    else {
      const { name, version } = JSON.parse(readFileSync(join(pack.member.path, 'package.json'), 'utf8'))
      const options = ['--access', 'public', ...(dryRun ? ['--dry-run'] : ['--provenance'])]
      if (version === '0.0.0') console.log(`${name}: no version has been given to it yet`)
      else if (!dryRun && isPublished(name, version)) console.log(`${name}@${version}: npm has it`)
      else if (run('npm', ['publish', pack.file, ...options], place)) console.log(`${name}@${version}: published`)
      else failed = true
    }
  }
} finally {
  for (const [n, file] of manifests.entries()) writeFileSync(file, before[n]!)
  rmSync(place, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0
