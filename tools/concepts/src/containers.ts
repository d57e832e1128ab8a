/** Containers, seen from inside and from their kernel; shares and limits; layers of files; images that share theirs. */
import { type Group, Hierarchy, type Process } from '@vmexit/cgroup'
import { type Container, ContainerHost, createContainer } from '@vmexit/container'
import { readProgram } from '@vmexit/guests'
import { Images, memoryStore } from '@vmexit/image'
import { OverlayFs } from '@vmexit/overlayfs'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import { bytesOf, Open, SettableTime, Stat, type TaskContext, TmpFs, Vfs } from '@vmexit/vfs'

function* archiveOf(files: Readonly<Record<string, Uint8Array>>): Generator<Uint8Array> {
  for (const [name, bytes] of Object.entries(files)) {
    yield encodeEntry({ type: 'file', name, mode: 0o755, size: bytes.length })
    yield bytes
    yield paddingAfter(bytes.length)
  }
  yield END_OF_ARCHIVE
}

/** What a container's programs find of themselves. */
export interface Seen {
  readonly name: string
  readonly hostname: string
  readonly processes: string
  readonly group: string
  readonly networks: string
}

/** Two containers on one kernel, each with a shell that looks around. */
export async function lookAround(): Promise<{ readonly seen: readonly Seen[]; readonly kernelProcesses: number }> {
  const images = new Images({ store: memoryStore() })
  const image = await images.import(archiveOf({ sh: readProgram('sh') }), {
    name: 'sh',
    config: { Entrypoint: ['/sh'] },
  })
  const host = new ContainerHost()
  await using one = await createContainer({ image, host, name: 'one' })
  await using two = await createContainer({ image, host, name: 'two' })
  const seen: Seen[] = []
  for (const container of [one, two]) seen.push(await look(container))
  return { seen, kernelProcesses: one.usage.processes + two.usage.processes }
}

async function look(container: Container): Promise<Seen> {
  const say = async (line: string) => {
    const { stdout } = await shell(container, line)
    return new TextDecoder()
      .decode(stdout)
      .split('\n')
      .filter((each) => each !== '' && !each.startsWith('A small shell'))
  }
  const clean = (lines: readonly string[]) => lines.map((line) => line.replaceAll('$ ', '').trim()).filter(Boolean)
  const hostname = clean(await say('cat /proc/sys/kernel/hostname'))[0]!
  const processes = clean(await say('ls /proc')).filter((name) => /^\d+\/$/.test(name))
  const group = clean(await say('cat /proc/self/cgroup'))[0]!
  const networks = clean(await say('cat /proc/net/dev')).flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? [])
  return {
    name: container.name,
    hostname,
    processes: processes.map((name) => name.slice(0, -1)).join(', '),
    group: group.replace(/^0::/, ''),
    networks: networks.join(', '),
  }
}

/** A further shell in the container, with one line. */
async function shell(container: Container, line: string) {
  const process = container.spawn({ args: ['/sh'] })
  const writer = process.stdin.getWriter()
  await writer.write(new TextEncoder().encode(`${line}\nexit\n`))
  const pieces: Uint8Array[] = []
  for await (const piece of process.stdout) pieces.push(piece)
  await process.exited
  return { stdout: Buffer.concat(pieces) }
}

/** CPU time of groups of these weights, each with one program that never waits. */
export function cpuShares(weights: readonly number[], quota?: string): readonly number[] {
  let time = 0
  const tree = new Hierarchy({ kernel: { now: () => time } })
  tree.write(tree.root, 'cgroup.subtree_control', '+cpu')
  const groups = weights.map((weight, n) => {
    const group = tree.mkdir(tree.root, `g${n}`) as Group
    tree.write(group, 'cpu.weight', String(weight))
    const { threads } = tree.members.fork(n + 1, group) as Process
    tree.scheduler.wake(threads.get(n + 1)!)
    return group
  })
  if (quota !== undefined) tree.write(groups[0]!, 'cpu.max', quota)
  while (time < 10e9) {
    const picked = tree.scheduler.pick()
    time += 1e6
    if (picked === undefined) continue
    tree.scheduler.charge(picked.thread, 1e6)
    tree.scheduler.put(picked.thread)
  }
  return groups.map(({ cpuTime }) => cpuTime.user / 1e9)
}

/** A change, and what is in the upper layer after it. */
export interface Change {
  readonly title: string
  /** Bytes of files in it, and its names. */
  readonly bytes: number
  readonly names: string
}

/** A file of one mebibyte, a small one and a directory lie below; what each change copies up. */
export function overlayChanges(): readonly Change[] {
  const changes: readonly (readonly [string, (vfs: Vfs, task: TaskContext) => unknown])[] = [
    ['the large file is read', (vfs, task) => read(vfs, task, '/large')],
    ['one byte is appended to it', (vfs, task) => write(vfs, task, '/large', Open.O_WRONLY | Open.O_APPEND, 'x')],
    ['a new file of six bytes', (vfs, task) => write(vfs, task, '/new', Open.O_WRONLY | Open.O_CREAT, 'hello\n')],
    ['a file is removed', (vfs, task) => vfs.unlink(task, null, '/small')],
    ['a directory is replaced', (vfs, task) => [vfs.rmdir(task, null, '/etc'), vfs.mkdir(task, null, '/etc', 0o755)]],
  ]
  return changes.map(([title, change]) => {
    const time = new SettableTime(1_700_000_000)
    const [lower, upper] = [new TmpFs({ time, mode: 0o755 }), new TmpFs({ time, mode: 0o755 })]
    const below = new Vfs({ time })
    const builder = below.newTask(below.newTree(lower))
    write(below, builder, '/large', Open.O_WRONLY | Open.O_CREAT, 'x'.repeat(1 << 20))
    write(below, builder, '/small', Open.O_WRONLY | Open.O_CREAT, 'small')
    below.mkdir(builder, null, '/etc', 0o755)
    const vfs = new Vfs({ time })
    change(vfs, vfs.newTask(vfs.newTree(new OverlayFs({ lower: [lower.root], upper: upper.root }))))
    const looker = new Vfs({ time })
    return { title, ...contentOf(looker, looker.newTask(looker.newTree(upper))) }
  })
}

function write(vfs: Vfs, task: TaskContext, path: string, flags: number, text: string): void {
  const file = vfs.open(task, null, path, flags, 0o644)
  if (typeof file === 'number') throw new Error(`${path}: errno ${-file}`)
  vfs.write(task, file, bytesOf(text))
  vfs.close(file)
}

function read(vfs: Vfs, task: TaskContext, path: string): void {
  const file = vfs.open(task, null, path, Open.O_RDONLY)
  if (typeof file === 'number') throw new Error(`${path}: errno ${-file}`)
  vfs.read(file, new Uint8Array(1 << 20))
  vfs.close(file)
}

/** What the root directory of a tree holds; whiteouts are devices 0:0. */
function contentOf(vfs: Vfs, task: TaskContext): { readonly bytes: number; readonly names: string } {
  const folder = vfs.open(task, null, '/', Open.O_RDONLY | Open.O_DIRECTORY)
  if (typeof folder === 'number') throw new Error(`errno ${-folder}`)
  const found: string[] = []
  let bytes = 0
  const stat = new Stat()
  const names: string[] = []
  vfs.getdents(folder, { entry: (name) => names.push(name) > 0 })
  for (const name of names.filter((each) => each !== '.' && each !== '..').sort()) {
    vfs.stat(task, null, `/${name}`, stat, 0)
    const type = stat.mode & 0o170000
    if (type === 0o100000) bytes += stat.size
    const path = vfs.lookup(task, null, `/${name}`)
    const opaque = typeof path !== 'number' && typeof vfs.getxattr(task, path, 'trusted.overlay.opaque') !== 'number'
    found.push(
      type === 0o020000 ? `whiteout of ${name}` : type === 0o040000 ? `${name}/${opaque ? ', opaque' : ''}` : name,
    )
  }
  return { bytes, names: found.join('; ') || 'nothing' }
}

/** What a store keeps after each of these. */
export interface Kept {
  readonly title: string
  readonly bytes: number
}

/** Two images that stand on one layer. */
export async function sharedLayers(): Promise<readonly Kept[]> {
  const store = memoryStore()
  const images = new Images({ store })
  const kept: Kept[] = []
  const note = async (title: string) => {
    const all = await store.list()
    kept.push({ title, bytes: all.reduce((sum, { size }) => sum + size, 0) })
  }
  const pseudo = Uint8Array.from({ length: 1 << 20 }, (_, n) => (n * 2654435761) >>> 24)
  await images.import(archiveOf({ base: pseudo }), { name: 'base', created: '2026-01-01T00:00:00Z' })
  await note('a base image of one file of 1 MiB')
  for (const name of ['one', 'two']) {
    const time = new SettableTime(1_700_000_000)
    const upper = new TmpFs({ time, mode: 0o755 })
    const vfs = new Vfs({ time })
    write(vfs, vfs.newTask(vfs.newTree(upper)), `/${name}`, Open.O_WRONLY | Open.O_CREAT, name.repeat(1000))
    await images.commit(upper, { base: 'base', name, created: '2026-01-01T00:00:00Z' })
    await note(`an image on top of it with a file of 3 kB${name === 'two' ? ', and another' : ''}`)
  }
  return kept
}
