/**
 * What a controller knows of one group. A group in which a controller is not enabled shares the account of the nearest
 * group above in which it is ("Control Group v2", *Controlling Controllers*).
 *
 * Whoever charges an account keeps it and gives back to it. Its group may go, or the controller may be disabled, while
 * charges are left: then they are its parent's, and what is given back to it reaches the parent.
 */
import type { Controlled, Shared } from './controller.ts'

/** An account of any controller. */
export abstract class Account<Self extends Account<Self, Needs>, Needs extends Shared = Shared> {
  /** Names the account in saved states: no other of the hierarchy has it, or will. Set anew by a restore. */
  id: number
  readonly group: Controlled
  readonly parent: Self | null
  readonly children: Set<Self> = new Set()
  /** Whether the controller has been disabled here, or the group removed. */
  removed = false
  protected readonly shared: Needs

  constructor(id: number, group: Controlled, parent: Self | null, shared: Needs) {
    this.id = id
    this.group = group
    this.parent = parent
    this.shared = shared
  }

  /** This one, or the nearest above it that is not removed: where its charges are now. */
  get living(): Self {
    let account = this as unknown as Self
    while (account.removed) account = account.parent!
    return account
  }

  /** The controller leaves the group: what is counted here alone becomes the parent's. */
  remove(): void {
    this.removed = true
    this.parent?.children.delete(this as unknown as Self)
  }

  protected changed(file: string): void {
    this.shared.changed(this.group, file)
  }
}
