/** The system calls of i386. */
import { VDSO } from '../../exec/vdso.ts'
import { type CallTable, tableOf } from '../table.ts'
import { fileCalls } from './files.ts'
import { moreCalls } from './more.ts'
import { otherNames } from './names.ts'
import { oldCalls } from './old.ts'
import { socketCalls } from './sockets.ts'
import { taskCalls } from './tasks.ts'

/** By number. */
export const i386: CallTable = tableOf(
  'i386',
  [...fileCalls, ...socketCalls, ...taskCalls, ...moreCalls, ...oldCalls],
  otherNames,
  VDSO.sysenterReturn,
)
