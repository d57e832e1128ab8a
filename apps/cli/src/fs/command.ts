/** `vmexit fs`: its commands, and what it says about them. */
import { createInterface } from 'node:readline/promises'
import { VmexitError } from '@vmexit/core'
import { OverlayFs } from '@vmexit/overlayfs'
import { packTree } from '@vmexit/tar'
import { isDirectory, toByteString, toText } from '@vmexit/vfs'
import { Command } from 'commander'
import { writeArchive } from './archive-stream.ts'
import { changesOf, seen } from './diff.ts'
import { openLayer, openTree, startTime } from './layers.ts'
import { describe, line, look, namesOf, walk } from './listing.ts'
import { UnpackProgress } from './progress.ts'
import { contentsOf, Shell } from './shell.ts'
import { shown } from './shown.ts'

const examples = `
A layer is a directory of this machine, which is only read, or a tar archive, plain or compressed by gzip or zstd, which is unpacked into
memory. Layers are named from the lowest to the topmost, as in an image; names that begin with .wh. in an archive are whiteouts.

Examples:
  $ vmexit fs ls -l base.tar.gz patch.tar
  $ vmexit fs cat base.tar.gz patch.tar /etc/os-release
  $ vmexit fs diff base.tar.gz patch.tar
      what the last layer adds (A), changes (C) and deletes (D)
  $ vmexit fs shell ./project -c 'rm README.md' -c diff
      a copy-on-write view of a directory, which stays as it is
  $ vmexit fs shell base.tar.gz --changes mine.tar.gz
      a shell whose changes are kept as a layer
  $ vmexit fs export base.tar.gz mine.tar.gz -o all.tar.zst`

/** The command. */
export function fsCommand(): Command {
  const command = new Command('fs')
    .summary('look at layers of files as one tree, change it, export it')
    .description('Directories and tar archives as layers of one copy-on-write tree, in memory: no root, no mounts.')
    .addHelpText('after', examples)
  command
    .command('ls')
    .summary('list a directory of the tree')
    .argument('<layers...>', 'the lowest first')
    .option('-l', 'with modes, owners, sizes and times')
    .option('-R', 'with all that lies below')
    .option('--at <path>', 'the directory', '/')
    .option('--json', 'print one JSON array')
    .action(list)
  command
    .command('cat')
    .summary('print a file of the tree')
    .argument('<layers...>', 'the lowest first, and at last the path of the file')
    .action(print)
  command
    .command('diff')
    .summary('what the topmost layer changes')
    .argument('<layers...>', 'the lowest first')
    .option('--json', 'print one JSON array')
    .action(compare)
  command
    .command('export')
    .summary('write the whole tree as one archive')
    .argument('<layers...>', 'the lowest first')
    .option('-o, --output <file>', 'compressed as its name says: .gz, .tgz, .zst; standard output unless stated')
    .action(exportTree)
  command
    .command('shell')
    .summary('a small shell on the tree, whose changes stay in memory')
    .argument('<layers...>', 'the lowest first')
    .option(
      '-c <line>',
      'run this line instead of reading them; can be repeated',
      (each: string, all: string[] = []) => [...all, each],
    )
    .option('--changes <file>', 'an archive that the changes are read from, if it is there, and written to')
    .action(openShell)
  return command
}

interface ListFlags {
  readonly l?: boolean
  readonly R?: boolean
  readonly at: string
  readonly json?: boolean
}

async function list(layers: readonly string[], { l, R, at, json }: ListFlags): Promise<void> {
  const tree = await openTree(layers, { writable: false, progress: new UnpackProgress() })
  const directory = toByteString(at.startsWith('/') ? at : `/${at}`)
  const base = directory === '/' ? '' : directory
  const isOne = !isDirectory(look(tree, directory).mode)
  const paths = isOne
    ? [directory]
    : R
      ? walk(tree, directory)
      : namesOf(tree, directory).map((name) => `${base}/${name}`)
  const all: unknown[] = []
  for (const path of paths) {
    const name = R || isOne ? path : path.slice(path.lastIndexOf('/') + 1)
    if (json) all.push(describe(tree, path, name))
    else process.stdout.write(`${l ? line(tree, path, name) : shown(name)}\n`)
  }
  if (json) process.stdout.write(`${JSON.stringify(all)}\n`)
}

async function print(args: readonly string[]): Promise<void> {
  const layers = args.slice(0, -1)
  if (layers.length === 0) throw usage('cat needs a layer and a path', 'say vmexit fs cat base.tar /etc/passwd')
  const tree = await openTree(layers, { writable: false, progress: new UnpackProgress() })
  await writeArchive(contentsOf(tree, toByteString(args.at(-1)!)), undefined)
}

async function compare(names: readonly string[], { json }: { readonly json?: boolean }): Promise<void> {
  if (names.length < 2) throw usage('diff needs two layers at least', 'say vmexit fs diff base.tar patch.tar')
  const time = startTime()
  const progress = new UnpackProgress()
  const layers = []
  for (const name of names) layers.push(await openLayer(name, time, progress))
  const top = layers.pop()!
  const below = seen(new OverlayFs({ lower: layers.map((fs) => fs.root).reverse() }))
  const changes = changesOf(below, top)
  if (json)
    process.stdout.write(`${JSON.stringify([...changes].map(({ kind, path }) => ({ kind, path: toText(path) })))}\n`)
  else for (const { kind, path } of changes) process.stdout.write(`${kind} ${shown(path)}\n`)
}

async function exportTree(layers: readonly string[], { output }: { readonly output?: string }): Promise<void> {
  if (output === undefined && process.stdout.isTTY)
    throw usage('an archive is nothing for a terminal', 'say where it is to go: -o all.tar.gz')
  const tree = await openTree(layers, { writable: false, progress: new UnpackProgress() })
  await writeArchive(packTree({ vfs: tree.vfs, task: tree.task }), output)
}

interface ShellFlags {
  readonly c?: readonly string[]
  readonly changes?: string
}

async function openShell(layers: readonly string[], { c: lines, changes }: ShellFlags): Promise<void> {
  const tree = await openTree(layers, {
    writable: true,
    progress: new UnpackProgress(),
    ...(changes === undefined ? {} : { changes }),
  })
  const shell = new Shell(tree, (text) => process.stdout.write(text))
  if (lines !== undefined) for (const each of lines) shell.run(each)
  else await converse(shell)
  if (changes !== undefined && tree.changes)
    await writeArchive(packTree({ ...seen(tree.changes), whiteouts: 'overlay' }), changes)
}

/** Lines from standard input, until it ends. What goes wrong is said, and ends nothing on a terminal. */
async function converse(shell: Shell): Promise<void> {
  const isTerminal = process.stdin.isTTY === true
  const input = createInterface({ input: process.stdin, ...(isTerminal ? { output: process.stdout } : {}) })
  const prompt = (): void => {
    if (!isTerminal) return
    input.setPrompt(`${shown(String(shell.tree.vfs.getcwd(shell.tree.task)))} > `)
    input.prompt()
  }
  if (isTerminal) process.stdout.write('help says what there is; changes stay in memory\n')
  prompt()
  for await (const each of input) {
    try {
      if (!shell.run(each)) break
    } catch (error) {
      if (!isTerminal) throw error
      process.stdout.write(`${(error as Error).message}\n`)
    }
    prompt()
  }
  input.close()
}

function usage(problem: string, remedy: string): VmexitError {
  return new VmexitError('fs-usage', { problem, remedy })
}
