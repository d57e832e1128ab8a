/** The files of the pids controller ("Control Group v2", *PID Interface Files*). */
import type { StateValue } from '@vmexit/core'
import type { Controller } from '../controller.ts'
import type { CounterState } from '../counter.ts'
import { Errno } from '../errno.ts'
import { formatLimit, MAX, parseSigned, strip } from '../text.ts'
import { PidsAccount } from './account.ts'

/** PID_MAX_LIMIT: there are no more process ids on 64-bit Linux. */
const MOST = 4194304

type PidsState = {
  readonly counter: CounterState
  readonly local: number
  readonly refusals: number
  readonly localRefusals: number
}

/** The pids controller. */
export const pidsController: Controller<PidsAccount> = {
  name: 'pids',
  create: (id, group, parent, shared) => new PidsAccount(id, group, parent, shared),
  files: [
    { name: 'pids.current', where: 'below-root', read: ({ usage }) => `${usage}\n` },
    { name: 'pids.events', where: 'below-root', read: ({ refusals }) => `max ${refusals}\n` },
    { name: 'pids.events.local', where: 'below-root', read: ({ localRefusals }) => `max ${localRefusals}\n` },
    {
      name: 'pids.max',
      where: 'below-root',
      read: ({ counter }) => `${formatLimit(counter.max)}\n`,
      write: ({ counter }, text) => {
        const word = strip(text)
        const { value, errno } = word === MAX ? { value: Number.POSITIVE_INFINITY, errno: 0 } : parseSigned(word, 64)
        if (value === undefined) return errno
        if (word !== MAX && (value < 0 || value > MOST)) return -Errno.EINVAL
        counter.max = value
        return 0
      },
    },
    { name: 'pids.peak', where: 'below-root', read: ({ counter }) => `${counter.peak}\n` },
  ],
  save: ({ counter, local, refusals, localRefusals }): PidsState => ({
    ...{ counter: counter.save(), local, refusals, localRefusals },
  }),
  restore(pids, saved: StateValue) {
    const state = saved as PidsState
    pids.force(state.local)
    pids.counter.restore(state.counter)
    pids.refusals = state.refusals
    pids.localRefusals = state.localRefusals
  },
}
