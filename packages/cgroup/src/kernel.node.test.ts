/**
 * The files against Linux: `test/kernel/cases.txt` was run by a kernel in a virtual machine, and `recorded.txt` beside it
 * is what the kernel answered. Here the same commands run on a hierarchy. `test/kernel/Makefile` records anew.
 *
 * A case that differs breaks a program that was written for Linux: it gets another error, or cannot parse a file.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Group, Hierarchy, type Process } from './index.ts'

const recorded = readFileSync(new URL('../test/kernel/recorded.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
const cases = recorded.filter((line) => !line.startsWith('#')).map((line) => line.split('\t') as [string, string])

/** Of these the kernel has more lines than we have: ours come in its order. */
const partial = /^(?:ls |shape .*(?:cgroup|cpu|memory)\.stat$)/

/** A hierarchy with the processes of the recording. */
class Machine {
  readonly #tree: Hierarchy
  readonly #names = new Map([
    ['p1', 101],
    ['p2', 102],
    ['p3', 103],
    ['t3', 104],
  ])
  #next = 200

  constructor() {
    const kernel = { now: () => 0, kill: (process: Process) => this.#end(process) }
    this.#tree = new Hierarchy({ kernel, cpus: 4, hasDevice: (device) => device === '1:0' })
    for (const pid of [101, 102, 103]) this.#tree.members.fork(pid)
    this.#tree.members.clone(this.#tree.members.process(103)!, 104)
  }

  run(command: string): string | number {
    const [, verb, path, rest] = /^(\S+) (\S+) ?(.*)$/.exec(command)!
    const at = path!.lastIndexOf('/')
    const group = this.#tree.lookup(path!.slice(0, Math.max(at, 0)))
    const file = path!.slice(at + 1)
    const text = String(this.#names.get(rest!) ?? rest)
      .replaceAll('\\n', '\n')
      .replaceAll('\\t', '\t')
    if (verb === 'ls') return this.#list(this.#tree.lookup(path!.replace('.', ''))!)
    if (verb === 'fork') return Math.min(0, this.#fork(path!))
    if (verb === 'exit') return this.#end(this.#tree.members.process(this.#names.get(path!)!)!)
    if (group === undefined) return -2
    if (verb === 'mkdir') return this.#mkdir(group, file)
    if (verb === 'rmdir') return this.#rmdir(group, file)
    if (verb === 'write') return this.#tree.write(group, file, text)
    if (verb === 'fill') return this.#tree.write(group, file, 'x'.repeat(Number(text)))
    const read = this.#tree.read(group, file)
    if (typeof read === 'number') return read
    if (/procs|threads/.test(file)) return read.replace(/\d+/g, (id) => this.#nameOf(Number(id)))
    // As the recorder does it: "avg10" is shown as "avg1N".
    return verb === 'shape' ? read.replace(/(?<![a-z_])\d[\d.]*/g, 'N') : read
  }

  #mkdir(parent: Group, name: string): number {
    // What a directory has already, its file system refuses.
    if (this.#tree.files(parent).some((file) => file.name === name)) return -17
    const made = this.#tree.mkdir(parent, name)
    return typeof made === 'number' ? made : 0
  }

  #rmdir(parent: Group, name: string): number {
    if (this.#tree.files(parent).some((file) => file.name === name)) return -20
    const group = parent.children.get(name)
    return group === undefined ? -2 : this.#tree.rmdir(group)
  }

  #list(group: Group): string {
    return this.#tree
      .files(group)
      .map(({ name, mode }) => `${mode.toString(8)} ${name}\n`)
      .join('')
  }

  #fork(parent: string): number {
    const child = this.#tree.members.fork(this.#next++, this.#tree.members.process(this.#names.get(parent)!)!.group)
    return typeof child === 'number' ? child : 0
  }

  #end(process: Process): number {
    for (const thread of [...process.threads.values()]) this.#tree.members.release(thread)
    return 0
  }

  #nameOf(id: number): string {
    return [...this.#names].find(([, each]) => each === id)?.[0] ?? '?'
  }
}

describe(recorded[0]!.slice(2), () => {
  const machine = new Machine()
  test.each(cases)('%s', (command, wanted) => {
    const found = machine.run(command)
    if (partial.test(command) && typeof found === 'string') expect(missing(found, JSON.parse(wanted))).toEqual([])
    else expect(typeof found === 'string' ? JSON.stringify(found) : String(found)).toBe(wanted)
  })
})

/** Our lines that the kernel has not, or not in this order. */
function missing(ours: string, theirs: string): string[] {
  const left = theirs.split('\n')
  return ours.split('\n').filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(0, at + 1)
    // The kernel's can be written to, which resets what the writer sees.
    return at < 0 && line !== '444 memory.peak'
  })
}
