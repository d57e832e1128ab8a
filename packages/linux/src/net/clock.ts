/** The clock of the network's stacks: the kernel's virtual time, and one timer of the kernel's for all of theirs. */
import { Clock } from '@vmexit/core'
import { Timer, type Timers } from '../tasks/timers.ts'

/** Where the time comes from: a kernel. */
export interface TimeOfKernel {
  readonly now: number
  readonly timers: Timers
}

/** A clock that shows a kernel's time, a tick being a nanosecond, and is woken by its timers. */
export function clockOf(kernel: TimeOfKernel): Clock {
  const clock = new Clock()
  const progress = {
    get retired() {
      return kernel.now
    },
  }
  let isFiring = false
  const arm = (): void => {
    const { deadline } = clock
    if (deadline === Number.POSITIVE_INFINITY) kernel.timers.cancel(timer)
    else if (!timer.isSet || timer.when !== deadline) kernel.timers.set(timer, deadline)
  }
  const timer = new Timer(() => {
    isFiring = true
    clock.settle()
    clock.advanceTo(kernel.now)
    clock.follow(progress)
    isFiring = false
    arm()
  })
  clock.follow(progress)
  clock.onSooner(() => {
    if (!isFiring) arm()
  })
  return clock
}
