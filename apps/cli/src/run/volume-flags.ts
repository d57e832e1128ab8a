/** What is mounted into a container: Docker's `-v`, `--mount` and `--tmpfs`. */
import { mkdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ContainerMount, ContainerOptions } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import { hostVolume } from '@vmexit/vfs/node'
import type { Command } from 'commander'
import { VolumeDirectory } from '../volumes/directory.ts'
import { collect } from './flag-values.ts'

/** As commander gives them. */
export interface VolumeFlags {
  readonly volume?: readonly string[]
  readonly mount?: readonly string[]
  readonly tmpfs?: readonly string[]
}

/** One mount, as it is kept. */
export type MountPart = BindPart | VolumeMountPart | TmpFsPart
interface BindPart {
  readonly type: 'bind'
  /** An absolute path of the host. */
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
}
interface VolumeMountPart {
  readonly type: 'volume'
  readonly name: string
  readonly destination: string
  readonly readOnly: boolean
  /** What the image has there is copied into it, if it is empty. */
  readonly copy: boolean
}
interface TmpFsPart {
  readonly type: 'tmpfs'
  readonly destination: string
  readonly readOnly: boolean
  /** Bytes. */
  readonly size?: number
  readonly mode?: number
}

/** As they are kept. */
export interface VolumePart {
  readonly mounts?: readonly MountPart[]
}

export function volumeFlags(command: Command): Command {
  return command
    .optionsGroup('What it has from outside:')
    .option(
      '-v, --volume <source:path>',
      'a folder or a file of the host, or a volume by name, at a path in it; behind another colon ro',
      collect,
    )
    .option('--mount <options>', 'the same: type=bind,source=…,target=…,readonly; type=volume; type=tmpfs', collect)
    .option('--tmpfs <path>', 'an empty file system in memory; behind a colon size=64m,mode=755,ro', collect)
}

/** @throws VmexitError `run-volume`. */
export function volumePart({ volume = [], mount = [], tmpfs = [] }: VolumeFlags): VolumePart {
  const mounts = [...volume.map(volumeOf), ...mount.map(mountOf), ...tmpfs.map(tmpfsOf)]
  const places = mounts.map(({ destination }) => destination)
  const twice = places.find((place, n) => places.indexOf(place) !== n)
  if (twice !== undefined) throw wrong(`two things are to be mounted at ${twice}`, 'leave one of them out')
  return mounts.length === 0 ? {} : { mounts }
}

/** Opens them; volumes that are not there are made. @throws VmexitError `vfs-host`. */
export function volumeOptions({ mounts = [] }: VolumePart): Partial<ContainerOptions> {
  if (mounts.length === 0) return {}
  // What lies in another one's place comes behind it.
  const depth = ({ destination }: MountPart): number => destination.split('/').filter((part) => part !== '').length
  const all: ContainerMount[] = []
  try {
    for (const mount of mounts.toSorted((a, b) => depth(a) - depth(b))) all.push(opened(mount))
    return { mounts: all }
  } catch (error) {
    for (const mount of all) if (mount.type === 'volume') mount.fileSystem[Symbol.dispose]?.()
    throw error
  }
}

function opened(mount: MountPart): ContainerMount {
  if (mount.type === 'tmpfs') return mount
  const { destination, readOnly } = mount
  const isNamed = mount.type === 'volume'
  const path = isNamed ? new VolumeDirectory().create(mount.name).path : mount.source
  // A volume that is new is filled, though the container may only read it.
  const fileSystem = hostVolume(path, { readOnly: readOnly && !isNamed })
  const { file } = fileSystem
  const copy = isNamed && mount.copy
  return { type: 'volume', destination, fileSystem, file, readOnly, source: path, copy, owned: true }
}

/** `SOURCE:PATH[:OPTIONS]`. */
function volumeOf(text: string): MountPart {
  const [source = '', destination, options = '', ...rest] = text.split(':')
  if (source === '' || destination === undefined || rest.length > 0)
    throw wrong(`-v ${text} is not understood`, 'give FOLDER:PATH, FILE:PATH or NAME:PATH, and :ro behind it')
  let readOnly = false
  let copy = true
  for (const option of options.split(',').filter((each) => each !== '')) {
    if (option === 'ro') readOnly = true
    else if (option === 'nocopy') copy = false
    // Labels of SELinux, and how mounts spread: there are neither.
    else if (!['rw', 'z', 'Z', 'private', 'rprivate', 'cached', 'delegated', 'consistent'].includes(option))
      throw wrong(`-v ${text}: there is no option ${option}`, 'give ro, rw or nocopy')
  }
  const place = placeOf(text, destination)
  if (!/^[./~]/.test(source)) return { type: 'volume', name: source, destination: place, readOnly, copy }
  const path = resolve(source)
  // As Docker does; --mount does not.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { recursive: true })
  return { type: 'bind', source: path, destination: place, readOnly }
}

// biome-ignore format: a table
const NAMES: Readonly<Record<string, string>> = {
  type: 'type', source: 'source', src: 'source', target: 'target', destination: 'target', dst: 'target', readonly: 'readonly',
  ro: 'readonly', 'volume-nocopy': 'nocopy', 'tmpfs-size': 'size', 'tmpfs-mode': 'mode',
}

/** `KEY=VALUE,…`. */
function mountOf(text: string): MountPart {
  const said = new Map<string, string>()
  for (const word of text.split(',')) {
    const [key = '', value = 'true'] = word.split(/=(.*)/s, 2)
    const name = NAMES[key]
    if (name === undefined) throw wrong(`--mount ${text}: there is no ${key}`, `give ${Object.keys(NAMES).join(', ')}`)
    said.set(name, value)
  }
  const destination = placeOf(text, said.get('target') ?? '')
  const [type = 'volume', source = ''] = [said.get('type'), said.get('source')]
  const readOnly = !['false', '0', undefined].includes(said.get('readonly'))
  switch (type) {
    case 'bind':
      if (source === '') throw wrong(`--mount ${text} has no source`, 'name a folder or a file of the host')
      return { type, source: resolve(source), destination, readOnly }
    case 'volume': {
      const name = source === '' ? new VolumeDirectory().create().name : source
      return { type, name, destination, readOnly, copy: said.get('nocopy') === undefined }
    }
    case 'tmpfs':
      return { type, destination, readOnly, ...limitsOf(text, said.get('size'), said.get('mode')) }
    default:
      throw wrong(`--mount ${text}: there is no type ${type}`, 'give bind, volume or tmpfs')
  }
}

/** `PATH[:OPTIONS]`. */
function tmpfsOf(text: string): MountPart {
  const [path = '', options = ''] = text.split(/:(.*)/s, 2)
  const said = new Map<string, string>()
  for (const option of options.split(',').filter((each) => each !== '')) {
    const [name = '', value = ''] = option.split('=')
    if (!['size', 'mode', 'ro', 'rw', 'nosuid', 'nodev', 'noexec'].includes(name))
      throw wrong(`--tmpfs ${text}: there is no option ${name}`, 'give size, mode and ro')
    said.set(name, value)
  }
  const destination = placeOf(text, path)
  return { type: 'tmpfs', destination, readOnly: said.has('ro'), ...limitsOf(text, said.get('size'), said.get('mode')) }
}

function limitsOf(text: string, size: string | undefined, mode: string | undefined): { size?: number; mode?: number } {
  const [, digits, unit = ''] = /^([0-9]{1,12})([kmg]?)b?$/i.exec(size ?? '0') ?? []
  if (digits === undefined) throw wrong(`${text}: ${size} is no size`, 'give bytes, or with k, m, g')
  if (!/^[0-7]{1,5}$/.test(mode ?? '0')) throw wrong(`${text}: ${mode} are no permissions`, 'give them as 1777')
  return {
    ...(size !== undefined && { size: Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ') }),
    ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
  }
}

function placeOf(text: string, path: string): string {
  if (path.startsWith('/') && !/^[/.]*$/.test(path)) return path.replace(/\/+$/, '')
  throw wrong(`${text}: nothing can be mounted at '${path}'`, 'give an absolute path that is not the root')
}

function wrong(problem: string, remedy: string): VmexitError<'run-volume'> {
  process.exitCode = 125
  return new VmexitError('run-volume', { problem, remedy })
}
