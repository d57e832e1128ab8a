/** The system calls of i386. */
import { VDSO } from '../../exec/vdso.ts'
import { type CallTable, tableOf } from '../table.ts'
import { fileCalls } from './files.ts'
import { ipcCalls } from './ipc.ts'
import { otherNames } from './names.ts'
import { taskCalls } from './tasks.ts'

/** By number. */
export const i386: CallTable = tableOf(
  'i386',
  [...fileCalls, ...taskCalls, ...ipcCalls],
  otherNames,
  VDSO.sysenterReturn,
)
