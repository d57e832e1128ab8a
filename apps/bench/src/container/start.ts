/** From nothing to the end of /bin/true: by the library, in a host that runs; by the command line; by Debian's runc; by unshare and chroot. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ContainerHost, createContainer } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import { type Image, Images } from '@vmexit/image'
import { directoryStore, nodeCodecs } from '@vmexit/image/node'
import { busyboxArchive, debianPieces, folderOf, pieces } from './image.ts'
import { median } from './work.ts'

/** Images whose /bin/true is started. */
export const STARTED = ['busybox', 'debian'] as const
/** One of them. */
export type StartedImage = (typeof STARTED)[number]

/** What is measured of an image: milliseconds that pass for one start, and where it is ours of processor time. */
export interface StartTimes {
  /** By `createContainer`, of many in a host that has started some before. */
  readonly library: number
  readonly libraryCpu: number
  /** The first one of a host: code is generated and translated. */
  readonly first: number
  /** `vmexit run`, a process each time. */
  readonly command: number
  readonly runc: number
  readonly unshare: number
}

/** Starts before those that count. */
const PRACTICE = 10
/** All ways are measured by turns, so that what else the machine does meets all alike; the median of the turns counts. */
const TURNS = 7
/** Starts in a turn: the mean of them. */
const STARTS = 8
const NATIVE_STARTS = 3

export interface StartOptions {
  readonly busybox: string
  /** The archive of Debian's root; without, that image is left out. */
  readonly debian: string | undefined
}

/** By image. Needs root, for runc. @throws VmexitError. */
export async function measureStarts({
  busybox,
  debian,
}: StartOptions): Promise<Partial<Record<StartedImage, StartTimes>>> {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-bench-'))
  try {
    const state = join(folder, 'state')
    const images = new Images({ store: directoryStore(join(state, 'vmexit/images')), codecs: nodeCodecs })
    const archive = busyboxArchive(busybox)
    const config = { config: { Cmd: ['/bin/true'], Env: ['PATH=/bin:/usr/bin'] } }
    const measure = async (
      name: StartedImage,
      data: AsyncIterable<Uint8Array>,
      from: Uint8Array | string,
    ): Promise<StartTimes> => {
      const image = await images.import(data, { name, ...config })
      const bundle = join(folder, name)
      folderOf(from, join(bundle, 'rootfs'))
      const library = await byLibrary(image)
      const command = byCommand(name, state)
      const { runc, unshare } = natively(bundle)
      const turns: Record<'library' | 'libraryCpu' | 'command' | 'runc' | 'unshare', number[]> = {
        ...{ library: [], libraryCpu: [], command: [], runc: [], unshare: [] },
      }
      for (let turn = 0; turn < TURNS; turn++) {
        const { time, cpu } = await library.turn()
        turns.library.push(time)
        turns.libraryCpu.push(cpu)
        turns.runc.push(runc())
        turns.unshare.push(unshare())
        turns.command.push(command())
      }
      const { first } = library
      return {
        ...{ first, library: median(turns.library), libraryCpu: median(turns.libraryCpu) },
        ...{ command: median(turns.command), runc: median(turns.runc), unshare: median(turns.unshare) },
      }
    }
    const times: Partial<Record<StartedImage, StartTimes>> = {
      busybox: await measure('busybox', pieces(archive), archive),
    }
    if (debian !== undefined) times.debian = await measure('debian', debianPieces(debian), debian)
    return times
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface ByLibrary {
  readonly first: number
  turn(): Promise<{ readonly time: number; readonly cpu: number }>
}

async function byLibrary(image: Image): Promise<ByLibrary> {
  const host = new ContainerHost({ engine: 'jit' })
  const start = async (): Promise<number> => {
    const began = performance.now()
    await using container = await createContainer({ image, host, args: ['/bin/true'] })
    const { exitCode } = await container.exited
    const time = performance.now() - began
    if (exitCode !== 0) throw failed('/bin/true in a container', `it ended with code ${exitCode}`)
    return time
  }
  const first = await start()
  for (let n = 0; n < PRACTICE; n++) await start()
  const turn: ByLibrary['turn'] = async () => {
    const cpu = process.cpuUsage()
    let time = 0
    for (let n = 0; n < STARTS; n++) time += await start()
    const { user, system } = process.cpuUsage(cpu)
    return { time: time / STARTS, cpu: (user + system) / 1000 / STARTS }
  }
  return { first, turn }
}

const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url))

function byCommand(image: string, state: string): () => number {
  const command = ['--max-semi-space-size=8', '--conditions=@vmexit/source', CLI, 'run', '--rm', image, '/bin/true']
  const env = { ...process.env, XDG_STATE_HOME: state, NODE_COMPILE_CACHE: join(state, 'compiled') }
  const run = (): void => {
    const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', env })
    if (status !== 0) throw failed('vmexit run', stderr.trim())
  }
  run()
  return () => timeOf(run)
}

/** By the host's own means; one shell starts them all, so that what starting them from here costs is not counted. */
function natively(bundle: string): Record<'runc' | 'unshare', () => number> {
  const runc = `runc --root ${bundle}/state`
  shell(`cd ${bundle} && runc spec`)
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as { process: Record<string, unknown> }
  Object.assign(config.process, { terminal: false, args: ['/bin/true'] })
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
  const all = (command: string): (() => number) => {
    const loop = `cd ${bundle} && i=0 && while [ $i -lt ${NATIVE_STARTS} ]; do ${command} || exit 1; i=$((i + 1)); done`
    shell(command.replace('$i', 'first'), bundle)
    return () => timeOf(() => shell(loop)) / NATIVE_STARTS
  }
  return {
    runc: all(`${runc} run bench-$i`),
    unshare: all('unshare --mount --uts --ipc --net --pid --fork chroot rootfs /bin/true'),
  }
}

function shell(script: string, cwd?: string): void {
  const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', cwd })
  if (status !== 0) throw failed(script, `${stderr.trim()}; Debian has runc in the package runc, and it needs root`)
}

function timeOf(act: () => void): number {
  const began = performance.now()
  act()
  return performance.now() - began
}

function failed(what: string, remedy: string): VmexitError {
  return new VmexitError('bench-system', { problem: `${what} failed`, remedy: `see what it said: ${remedy}` })
}
