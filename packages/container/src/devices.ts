/** Devices of a container: there are harmless ones alone, whose nodes stand in /dev (runtime-spec, "Default Devices"). */
import type { Task } from '@vmexit/linux'
import { Errno, Mode, makeDevice } from '@vmexit/vfs'
import { containerError } from './errors.ts'

// biome-ignore format: a table
export const DEVICES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3], ['zero', 1, 5], ['full', 1, 7], ['random', 1, 8], ['urandom', 1, 9], ['tty', 5, 0], ['ptmx', 5, 2],
]
/** Links in /dev ("Dev symbolic links"). */
export const DEVICE_LINKS: Readonly<Record<string, string>> = {
  ...{ fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' },
}
/** Major number of terminals. */
export const TERMINAL = 136
/** Terminals that have a place in /dev/pts; whose they are is asked when they are opened. */
const TERMINALS = 64

/** Makes a node, if its name is free. @throws VmexitError `container-image`. */
export function makeNode(
  { kernel: { vfs }, context }: Task,
  path: string,
  mode: number,
  [major, minor]: readonly [major: number, minor: number] = [0, 0],
): void {
  const answer = vfs.mknod(context, null, path, mode, makeDevice(major, minor))
  if (answer < 0 && answer !== -Errno.EEXIST)
    containerError('image', `the device ${path} cannot be made`, 'give more memory, or take another image')
}

/** The nodes of terminals in a directory of them. */
export function makeTerminals(task: Task, directory: string, permissions = 0o620): void {
  for (let n = 0; n < TERMINALS; n++) makeNode(task, `${directory}/${n}`, Mode.IFCHR | permissions, [TERMINAL, n])
}
