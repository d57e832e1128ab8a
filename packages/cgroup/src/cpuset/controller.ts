/** The files of the cpuset controller ("Control Group v2", *Cpuset Interface Files*). */
import type { StateValue } from '@vmexit/core'
import { type ControlFile, type Controller, take } from '../controller.ts'
import { Errno } from '../errno.ts'
import { formatList, parseList } from '../text.ts'
import { CpusetAccount, type CpusetNeeds } from './account.ts'

type File = ControlFile<CpusetAccount>

/** Lists of nodes may name so many; those that the machine has not are EINVAL all the same. */
const MOST_NODES = 1024
/** A list of all numbers of a large machine is longer than a page. */
const MAX_BYTES = 50_000

const wanted = (name: string, which: 'cpus' | 'mems'): File => ({
  name,
  where: 'below-root',
  maxBytes: MAX_BYTES,
  read: (cpuset) => `${formatList(cpuset[which].wanted)}\n`,
  write: (cpuset, text) => {
    const { cpus, nodes } = cpuset.limits
    return take(parseList(text, which === 'cpus' ? cpus : MOST_NODES), (list) => {
      if (which === 'mems' && list.some((node) => node >= nodes)) return -Errno.EINVAL
      // Processes keep what they were told to run on.
      if (list.length === 0 && cpuset[which].wanted.length > 0 && cpuset.group.populated) return -Errno.ENOSPC
      cpuset[which].wanted = list
      cpuset.derive()
      return 0
    })
  },
})

const effective = (name: string, which: 'cpus' | 'mems'): File => ({
  name,
  where: 'everywhere',
  read: (cpuset) => `${formatList(cpuset[which].effective)}\n`,
})

type CpusetState = { readonly cpus: readonly number[]; readonly mems: readonly number[] }

/** The cpuset controller. */
export const cpusetController: Controller<CpusetAccount, CpusetNeeds> = {
  name: 'cpuset',
  create: (id, group, parent, shared) => new CpusetAccount(id, group, parent, shared),
  files: [
    wanted('cpuset.cpus', 'cpus'),
    effective('cpuset.cpus.effective', 'cpus'),
    wanted('cpuset.mems', 'mems'),
    effective('cpuset.mems.effective', 'mems'),
  ],
  save: ({ cpus, mems }): CpusetState => ({ cpus: cpus.wanted, mems: mems.wanted }),
  restore(cpuset, saved: StateValue) {
    const { cpus, mems } = saved as CpusetState
    cpuset.cpus.wanted = cpus
    cpuset.mems.wanted = mems
    cpuset.derive()
  },
}
