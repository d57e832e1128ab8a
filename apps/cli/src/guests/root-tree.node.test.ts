import { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite } from '@vmexit/tar'
import { At, type File, Open, SettableTime, Stat, TmpFs, Vfs } from '@vmexit/vfs'
import { expect, test } from 'vitest'
import { RootTree } from './root-tree.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function archive(...entries: [TarEntryToWrite, string?][]): Uint8Array[] {
  const parts = entries.flatMap(([entry, text = '']) => {
    const data = bytes(text)
    return [encodeEntry({ size: data.length, ...entry }), data, paddingAfter(data.length)]
  })
  return [...parts, END_OF_ARCHIVE]
}

function emptyTree() {
  const time = new SettableTime(0)
  const vfs = new Vfs({ time })
  const task = vfs.newTask(vfs.newTree(new TmpFs({ time })))
  const read = (path: string): string | number => {
    const file = vfs.open(task, null, path, Open.O_RDONLY) as File | number
    if (typeof file === 'number') return file
    const into = new Uint8Array(10_000)
    return new TextDecoder().decode(into.subarray(0, vfs.read(file, into)))
  }
  return { vfs, task, read, tree: new RootTree(vfs, task) }
}

const control = new Map([
  [
    'control',
    bytes('Package: tool\nVersion: 1\nArchitecture: i386\nMulti-Arch: same\nDescription: a tool\n of two lines\n'),
  ],
  ['conffiles', bytes('/etc/tool.conf\n')],
  ['postinst', bytes('#!/bin/sh\n')],
  ['md5sums', bytes('')],
])

test('a package lies where the merged /usr has it, its links to itself too, with what dpkg knows of it', () => {
  const { vfs, task, read, tree } = emptyTree()
  tree.add({
    control,
    data: archive(
      [{ type: 'directory', name: './', mode: 0o755 }],
      [{ type: 'directory', name: './bin/', mode: 0o755 }],
      [{ type: 'file', name: './bin/tool', mode: 0o4755 }, 'program'],
      [{ type: 'hardlink', name: './usr/bin/other', mode: 0o4755, target: './bin/tool', size: 0 }],
      [{ type: 'file', name: './etc/tool.conf', mode: 0o644 }, 'conf'],
      [{ type: 'file', name: './usr/share/doc/tool/README', mode: 0o644 }, 'read me'],
      [{ type: 'file', name: './usr/share/doc/tool/copyright', mode: 0o644 }, 'mine'],
      [{ type: 'file', name: './usr/share/locale/de/tool.mo', mode: 0o644 }, 'Werkzeug'],
    ),
  })
  tree.finish()
  expect(vfs.readlink(task, null, '/bin')).toBe('usr/bin')
  expect(read('/usr/bin/tool')).toBe('program')
  expect(read('/bin/other')).toBe('program')
  const stat = new Stat()
  vfs.stat(task, null, '/bin/tool', stat, At.AT_SYMLINK_NOFOLLOW)
  expect([stat.mode & 0o7777, stat.nlink]).toEqual([0o4755, 2])
  // As in Debian's slim images; dpkg lists them all the same.
  expect(read('/usr/share/doc/tool/copyright')).toBe('mine')
  expect([read('/usr/share/doc/tool/README'), read('/usr/share/locale/de/tool.mo')]).toEqual([-2, -2])
  expect(read('/var/lib/dpkg/info/tool:i386.list')).toBe(
    '/.\n/bin\n/bin/tool\n/usr/bin/other\n/etc/tool.conf\n/usr/share/doc/tool/README\n/usr/share/doc/tool/copyright\n/usr/share/locale/de/tool.mo\n',
  )
  vfs.stat(task, null, '/var/lib/dpkg/info/tool:i386.postinst', stat, 0)
  expect(stat.mode & 0o777).toBe(0o755)
  expect(read('/var/lib/dpkg/status')).toBe(
    'Package: tool\nStatus: install ok unpacked\nVersion: 1\nArchitecture: i386\nMulti-Arch: same\nDescription: a tool\n of two lines\nConffiles:\n /etc/tool.conf newconffile\n\n',
  )
})

test('an archive whose names lead out of the tree is refused', () => {
  const { tree } = emptyTree()
  const data = archive([{ type: 'file', name: './bin/../../x', mode: 0o644 }, ''])
  expect(() => tree.add({ control, data })).toThrow('leads upwards')
})
