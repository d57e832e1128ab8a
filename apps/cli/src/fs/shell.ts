/** A small shell on a tree, to see copy-on-write at work: a table of commands, and the words of a line. */

import { VmexitError } from '@vmexit/core'
import { OverlayFs } from '@vmexit/overlayfs'
import { At, type ByteString, type File, Open, toByteString, toText } from '@vmexit/vfs'
import { changesOf, seen } from './diff.ts'
import { must, refuse } from './errors.ts'
import type { Tree } from './layers.ts'
import { lettersOf, line, look, namesOf, walk } from './listing.ts'
import { move, remove } from './move.ts'
import { shown } from './shown.ts'

/** Writes what a command says. */
export type Say = (text: string) => void

interface ShellCommand {
  readonly usage: string
  readonly does: string
  /** How many arguments it takes. */
  readonly takes: readonly [least: number, most: number]
  run(shell: Shell, args: readonly ByteString[], flags: ReadonlySet<string>): void
}

/** A shell on a tree. */
export class Shell {
  readonly tree: Tree
  readonly say: Say

  constructor(tree: Tree, say: Say) {
    this.tree = tree
    this.say = say
  }

  /** Runs a line. False when it was `exit`. @throws VmexitError `fs-refused`, `fs-usage`. */
  run(text: string): boolean {
    const [name, ...rest] = wordsOf(text)
    if (name === undefined) return true
    if (name === 'exit' || name === 'quit') return false
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command === undefined) {
      throw new VmexitError('fs-usage', {
        problem: `there is no command '${name}' here`,
        remedy: `use ${Object.keys(COMMANDS).join(', ')} or exit; help explains them`,
      })
    }
    const flags = new Set(rest.filter((word) => /^-[a-z]+$/.test(word)).flatMap((word) => [...word.slice(1)]))
    const args = rest.filter((word) => !/^-[a-z]+$/.test(word)).map(toByteString)
    const [least, most] = command.takes
    if (args.length < least || args.length > most)
      throw new VmexitError('fs-usage', { problem: `that is not how ${name} is used`, remedy: `say ${command.usage}` })
    command.run(this, args, flags)
    // Each line is a second of the tree's time: what came later is seen to.
    this.tree.time.advance(1)
    return true
  }

  /** Writes a file's new or further contents. */
  write(path: ByteString, text: string, how: number): void {
    const { vfs, task } = this.tree
    const file = must(vfs.open(task, null, path, Open.O_WRONLY | Open.O_CREAT | how, 0o644), 'write', path) as File
    const bytes = new TextEncoder().encode(text)
    const answer = vfs.write(task, file, bytes)
    vfs.close(file)
    must(answer, 'write', path)
  }
}

/** The commands by name. */
const COMMANDS: Readonly<Record<string, ShellCommand>> = {
  help: {
    usage: 'help',
    does: 'this text',
    takes: [0, 0],
    run: ({ say }) => {
      for (const { usage, does } of Object.values(COMMANDS)) say(`  ${usage.padEnd(26)} ${does}\n`)
      say(`  ${'exit'.padEnd(26)} leaves\n`)
    },
  },
  ls: {
    usage: 'ls [-l] [PATH]',
    does: 'what a directory holds',
    takes: [0, 1],
    run: ({ tree, say }, [path = '.'], flags) => {
      const isDirectory = lettersOf(look(tree, path).mode).startsWith('d')
      const names = isDirectory ? namesOf(tree, path) : [path]
      for (const name of names)
        say(`${flags.has('l') ? line(tree, isDirectory ? `${path}/${name}` : path, name) : shown(name)}\n`)
    },
  },
  cd: {
    usage: 'cd [PATH]',
    does: 'goes to a directory',
    takes: [0, 1],
    run: (shell, [path = '/']) => must(shell.tree.vfs.chdir(shell.tree.task, null, path), 'go to', path),
  },
  pwd: {
    usage: 'pwd',
    does: 'where this is',
    takes: [0, 0],
    run: ({ tree, say }) => say(`${shown(String(tree.vfs.getcwd(tree.task)))}\n`),
  },
  cat: {
    usage: 'cat PATH',
    does: "a file's contents",
    takes: [1, 1],
    run: (shell, [path]) => {
      // One decoder for all: a character may begin in one piece and end in the next.
      const decoder = new TextDecoder()
      for (const bytes of contentsOf(shell.tree, path!)) shell.say(decoder.decode(bytes, { stream: true }))
      shell.say(decoder.decode())
    },
  },
  stat: {
    usage: 'stat PATH',
    does: 'inode, links, times, and the layer that a file is in',
    takes: [1, 1],
    run: ({ tree, say }, [path]) => {
      const stat = look(tree, path!)
      say(`${line(tree, path!, path!)}\ninode ${stat.ino}, ${stat.blocks} blocks, from ${whereFrom(tree, path!)}\n`)
    },
  },
  find: {
    usage: 'find [PATH]',
    does: 'all paths below a directory',
    takes: [0, 1],
    run: ({ tree, say }, [path = '.']) => {
      for (const each of walk(tree, path)) say(`${shown(each)}\n`)
    },
  },
  write: {
    usage: 'write PATH TEXT',
    does: 'makes or replaces a file',
    takes: [2, 2],
    run: (shell, [path, text]) => shell.write(path!, `${toText(text!)}\n`, Open.O_TRUNC),
  },
  append: {
    usage: 'append PATH TEXT',
    does: 'adds a line to a file',
    takes: [2, 2],
    run: (shell, [path, text]) => shell.write(path!, `${toText(text!)}\n`, Open.O_APPEND),
  },
  mkdir: {
    usage: 'mkdir PATH',
    does: 'makes a directory',
    takes: [1, 1],
    run: (shell, [path]) => must(shell.tree.vfs.mkdir(shell.tree.task, null, path!, 0o777), 'make', path!),
  },
  rm: {
    usage: 'rm [-r] PATH',
    does: 'removes a file; with -r a directory and all in it',
    takes: [1, 1],
    run: (shell, [path], flags) => {
      if (flags.has('r')) remove(shell.tree, path!)
      else must(shell.tree.vfs.unlink(shell.tree.task, null, path!), 'remove', path!)
    },
  },
  mv: {
    usage: 'mv PATH PATH',
    does: 'renames; the new name must be free',
    takes: [2, 2],
    run: ({ tree }, [from, to]) => move(tree, from!, to!),
  },
  ln: {
    usage: 'ln [-s] TARGET PATH',
    does: 'a hard link, with -s a symbolic one',
    takes: [2, 2],
    run: (shell, [target, path], flags) => {
      const { vfs, task } = shell.tree
      const answer = flags.has('s')
        ? vfs.symlink(task, target!, null, path!)
        : vfs.link(task, null, target!, null, path!)
      must(answer, `link to ${shown(target!)}`, path!)
    },
  },
  chmod: {
    usage: 'chmod MODE PATH',
    does: 'permissions, as in chmod 4755 PATH',
    takes: [2, 2],
    run: (shell, [mode, path]) => {
      if (!/^[0-7]{1,4}$/.test(mode!))
        throw new VmexitError('fs-usage', {
          problem: `'${mode}' is no mode`,
          remedy: 'give octal digits, such as 0755',
        })
      must(shell.tree.vfs.chmod(shell.tree.task, null, path!, Number.parseInt(mode!, 8)), 'change', path!)
    },
  },
  diff: {
    usage: 'diff',
    does: 'what has been added, changed and deleted',
    takes: [0, 0],
    run: ({ tree, say }) => {
      if (tree.changes === undefined) return
      const below = seen(new OverlayFs({ lower: tree.layers.map(({ fs }) => fs.root).reverse() }))
      for (const { kind, path } of changesOf(below, tree.changes)) say(`${kind} ${shown(path)}\n`)
    },
  },
}

/** The words of a line; quotes keep spaces together. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  )
}

/** A file in pieces. @throws VmexitError `fs-refused`. */
export function* contentsOf({ vfs, task }: Pick<Tree, 'vfs' | 'task'>, path: ByteString): Generator<Uint8Array> {
  const file = vfs.open(task, null, path, Open.O_RDONLY)
  if (typeof file === 'number') throw refuse('read', path, file)
  try {
    for (;;) {
      const bytes = new Uint8Array(1 << 16)
      const read = vfs.read(file, bytes)
      if (read < 0) throw refuse('read', path, read)
      if (read === 0) return
      yield bytes.subarray(0, read)
    }
  } finally {
    vfs.close(file)
  }
}

/** The topmost layer that has something of the name. */
function whereFrom(tree: Tree, path: ByteString): string {
  const place = tree.vfs.lookup(tree.task, null, path, At.AT_SYMLINK_NOFOLLOW)
  const whole = typeof place === 'number' ? path : tree.vfs.pathName(tree.task, place)
  const found = { changes: tree.changes, layers: [...tree.layers].reverse() }
  const has = (fs: Tree['layers'][number]['fs']): boolean => {
    const { vfs, task } = seen(fs)
    return typeof vfs.lookup(task, null, whole, At.AT_SYMLINK_NOFOLLOW) !== 'number'
  }
  if (found.changes && has(found.changes)) return 'the changes'
  return found.layers.find(({ fs }) => has(fs))?.name ?? 'no layer by that name: it was renamed'
}
