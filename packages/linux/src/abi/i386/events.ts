/** Calls that make files of what is none: signals, events of files, memory; and copies between files. */
import { Errno } from '../../errno.ts'
import { copyFileRange } from '../../files/copy-range.ts'
import { inotifyAddWatch, inotifyInit, inotifyRmWatch } from '../../files/inotify.ts'
import { memfdCreate } from '../../files/memfd.ts'
import { signalfd } from '../../files/signalfd.ts'
import { bits, fd, int, openFlags, path, pointer, size } from '../decoders.ts'
import { type CallRow, call } from '../table.ts'

/** ioprio_set(2): classes 0 to 3; nothing comes of them. */
const ioprioSet = (wanted: number): number => (wanted >>> 13 <= 3 ? 0 : -Errno.EINVAL)

// biome-ignore format: a table
export const eventCalls: readonly CallRow[] = [
  call(289, 'ioprio_set', [int, int, int], (_t, _which, _who, wanted) => ioprioSet(wanted), 'without effect'),
  call(290, 'ioprio_get', [int, int], () => 0, 'without effect'),
  call(291, 'inotify_init', [], (t) => inotifyInit(t, 0)),
  call(292, 'inotify_add_watch', [fd, path, bits], inotifyAddWatch),
  call(293, 'inotify_rm_watch', [fd, int], inotifyRmWatch),
  call(321, 'signalfd', [fd, pointer, size], (t, f, a, n) => signalfd(t, f, a, n, 0)),
  call(327, 'signalfd4', [fd, pointer, size, openFlags], signalfd),
  call(332, 'inotify_init1', [openFlags], inotifyInit),
  call(356, 'memfd_create', [path, bits], memfdCreate, 'no seals'),
  call(377, 'copy_file_range', [fd, pointer, fd, pointer, size, bits], copyFileRange),
]
