/** What happens to the containers of a host, in the words of Docker's events ("docker system events", *Containers*). */
import type { ExitStatus } from './exit-status.ts'

/** Something that has happened to a container. */
export type ContainerEvent = ContainerAction & {
  /** The container's name. */
  readonly container: string
  /** When, in the kernel's virtual nanoseconds. */
  readonly time: number
}

/** What has happened, and what there is to say of it. */
export type ContainerAction =
  | { readonly action: 'start' | 'pause' | 'unpause' | 'destroy' }
  /** Its group was out of memory, and some process of it has been killed. */
  | { readonly action: 'oom' }
  /** Its own program was sent a signal from outside. */
  | { readonly action: 'kill'; readonly signal: number }
  /** Its own program has ended, and the container with that. */
  | ({ readonly action: 'die' } & ExitStatus)
  /** A further program has begun, or has ended. `pid` is the number that it has in the container. */
  | { readonly action: 'exec_start'; readonly pid: number; readonly args: readonly string[] }
  | ({ readonly action: 'exec_die'; readonly pid: number } & ExitStatus)

/** Who wants to know. */
export type ContainerListener = (event: ContainerEvent) => void

/** Tells listeners. They hear of events in their order, and behind what brought them about: a listener that throws disturbs nothing of it. */
export class Listeners {
  readonly #listeners = new Set<ContainerListener>()

  /** Answers what ends it. */
  add(listener: ContainerListener): () => void {
    // (Of its own: one function may listen twice.)
    const own: ContainerListener = (event) => listener(event)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  tell(event: ContainerEvent): void {
    for (const listener of this.#listeners)
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(event)
      })
  }
}
