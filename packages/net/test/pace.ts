/** Lets virtual time follow the host's, for tests that talk with the host. */
import type { Clock } from '@vmexit/core'

/** Until it is disposed. */
export function pace(clock: Clock): Disposable {
  const start = performance.now() * 1e6 - clock.now
  let running = true
  const step = () => {
    if (!running) return
    const now = performance.now() * 1e6 - start
    if (now > clock.now) clock.advanceTo(Math.floor(now))
    setTimeout(step, clock.deadline - clock.now > 2e6 ? 1 : 0)
  }
  step()
  return { [Symbol.dispose]: () => void (running = false) }
}

/** Waits until something holds. */
export async function until(holds: () => boolean, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!holds()) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await new Promise((done) => setTimeout(done, 2))
  }
}
