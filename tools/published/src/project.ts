/**
 * An empty project into which all packs are installed, as somebody would who has them from npm: its examples run in plain Node, its types are
 * strict, and Vite makes a page of it.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplesOf } from '@vmexit-tools/readme-examples/examples'
import { workspaceRoot } from '@vmexit-tools/workspace'
import { type Pack, run } from './pack.ts'

/** Programs that run at the same time. */
const atOnce = 2

/** What else the examples of READMEs import, as they say themselves; the versions are the workspace's. */
const beside = ['memfs', '@types/node']

/** Installs the packs into a project in `folder`. False where that fails. */
export function installProject(folder: string, packs: readonly Pack[]): boolean {
  const files = Object.fromEntries(packs.map(({ member, file }) => [member.manifest.name, `file:${file}`]))
  const catalog = readFileSync(join(workspaceRoot, 'pnpm-workspace.yaml'), 'utf8')
  const versionOf = (name: string) => new RegExp(`^  '?${name}'?: (.*)$`, 'm').exec(catalog)?.[1] ?? '*'
  const dependencies = { ...files, ...Object.fromEntries(beside.map((name) => [name, versionOf(name)])) }
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'somebody', private: true, type: 'module', dependencies }),
  )
  // What a pack depends on is a pack, too: nothing of ours is at npm yet.
  writeFileSync(
    join(folder, 'pnpm-workspace.yaml'),
    `overrides: ${JSON.stringify(files)}\nverifyDepsBeforeRun: false\n`,
  )
  return run('pnpm', ['install', '--prefer-offline', '--ignore-scripts', '--silent'], folder)
}

/** The first example of each README that can run as it stands, written into the project: its file by the package's name. */
export function writeExamples(folder: string, packs: readonly Pack[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const { member } of packs) {
    const example = examplesOf(readFileSync(join(member.path, 'README.md'), 'utf8')).find(({ runs }) => runs)
    if (example === undefined) continue
    writeFileSync(join(folder, `${member.folder}.ts`), example.text)
    files.set(member.manifest.name, `${member.folder}.ts`)
  }
  return files
}

/** Runs them in plain Node, with types taken away and nothing else done. The names of those that fail. */
export async function runExamples(folder: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const failed: string[] = []
  const left = [...files]
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, file] = next
      if (!(await runs(folder, file))) failed.push(name)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return failed
}

function runs(folder: string, file: string): Promise<boolean> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: folder })
  let said = ''
  child.stdout.resume()
  child.stderr.on('data', (text) => {
    said += text
  })
  return new Promise((done) => {
    child.on('close', (code) => {
      if (code !== 0) console.log(`the example of ${file} ends with ${code}\n${said}`)
      done(code === 0)
    })
  })
}

/** TypeScript, strict, as a program for Node is checked that has never heard of this workspace. */
export function checkTypes(folder: string, files: Iterable<string>): boolean {
  const compilerOptions = {
    ...{ target: 'es2024', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false, types: ['node'] },
    lib: ['es2024', 'esnext.disposable', 'esnext.iterator', 'dom', 'dom.asynciterable'],
    // Examples are fragments: what they declare is theirs.
    ...{ moduleDetection: 'force', allowImportingTsExtensions: true },
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...files] }))
  return run(process.execPath, [join(workspaceRoot, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], folder)
}

/** Vite makes a page of every package that claims browsers, and leaves nothing of Node in it. */
export async function bundles(folder: string, packs: readonly Pack[]): Promise<boolean> {
  const names = packs.filter(({ member }) => member.manifest.vmexit?.browser).map(({ member }) => member.manifest.name)
  const lines = names.map((name, n) => `import * as p${n} from '${name}'`)
  writeFileSync(
    join(folder, 'page.js'),
    `${lines.join('\n')}\nconsole.log(${names.map((_, n) => `p${n}`).join(', ')})\n`,
  )
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="./page.js"></script>')
  const warnings: string[] = []
  try {
    const { build } = await import('vite')
    await build({
      ...{ root: folder, configFile: false, logLevel: 'silent' },
      build: {
        ...{ write: false, target: 'esnext', minify: false, chunkSizeWarningLimit: 1 << 20 },
        rolldownOptions: { onLog: (level, { message }) => void (level === 'warn' && warnings.push(message)) },
      },
    })
  } catch (error) {
    warnings.push(`${error}`)
  }
  for (const warning of warnings) console.log(`Vite: ${warning}`)
  return warnings.length === 0
}
