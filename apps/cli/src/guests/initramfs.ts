/** Initramfs archives: the base with busybox, and further ones that are put behind it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type CpioEntry, writeCpio } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import { initScript } from './init.ts'

/** What a guest begins with: /init, busybox with a link for each applet, and the folders that it mounts upon. */
export function baseEntries(busybox: Uint8Array): CpioEntry[] {
  const folders = ['mnt', 'proc', 'root', 'run', 'sys']
  const applets = busyboxApplets(busybox).filter((applet) => applet !== 'busybox')
  return [
    { path: 'init', kind: 'file', mode: 0o755, bytes: Buffer.from(initScript) },
    { path: 'bin/busybox', kind: 'file', mode: 0o755, bytes: busybox },
    ...applets.map((applet): CpioEntry => ({ path: `bin/${applet}`, kind: 'symlink', target: 'busybox' })),
    { path: 'sbin/modprobe', kind: 'symlink', target: '../bin/busybox' }, // where the kernel looks for it
    { path: 'dev/console', kind: 'character', mode: 0o600, major: 5, minor: 1 },
    { path: 'dev/null', kind: 'character', mode: 0o666, major: 1, minor: 3 },
    { path: 'etc/passwd', kind: 'file', bytes: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
    { path: 'etc/group', kind: 'file', bytes: Buffer.from('root:x:0:\n') },
    { path: 'tmp', kind: 'directory', mode: 0o1777 },
    ...folders.map((path): CpioEntry => ({ path, kind: 'directory' })),
  ]
}

/**
 * The applets that a busybox has. It looks them up in a table of zero-terminated names in ascending order, which
 * begins with `[` and `[[`; the program is of another architecture than the host may be, so it is read, not run.
 *
 * Throws `guests-busybox` if there is no such table, or one without what /init uses.
 */
export function busyboxApplets(busybox: Uint8Array): string[] {
  const text = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.byteLength)
  const start = text.indexOf('\0[\0[[\0', 0, 'latin1') + 1
  const names: string[] = []
  for (let at = start; start > 0; ) {
    const end = text.indexOf(0, at)
    const name = text.toString('latin1', at, end < 0 ? at : end)
    const last = names.at(-1)
    if (name === '' || (last !== undefined && name <= last)) break
    names.push(name)
    at = end + 1
  }
  if (['cttyhack', 'mount', 'poweroff', 'setsid', 'sh'].every((name) => names.includes(name))) return names
  throw new VmexitError('guests-busybox', {
    problem: 'the busybox has no table of applets with cttyhack, mount, poweroff, setsid and sh',
    remedy: "use the one of Debian's busybox-static",
  })
}

/**
 * A compressed archive: an initramfs, or a further one for `concatenateArchives`, by which guests are extended. The
 * same entries give the same bytes.
 */
export function compressedArchive(entries: readonly CpioEntry[]): Uint8Array {
  const archive = gzipSync(writeCpio(entries), { level: 9 })
  archive[9] = 255 // RFC 1952: the operating system is unknown, as it says nothing about the files
  return archive
}

/** The files below a folder of the host, for an archive: at `under` there, executable if they are here. */
export function entriesBelow(folder: string, under = ''): CpioEntry[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name): CpioEntry[] => {
    const file = join(folder, name)
    const stat = statSync(file)
    if (!stat.isFile()) return []
    const path = [under, ...name.split(/[\\/]/)].filter(Boolean).join('/')
    return [{ path, kind: 'file', mode: (stat.mode & 0o111) === 0 ? 0o644 : 0o755, bytes: readFileSync(file) }]
  })
}
