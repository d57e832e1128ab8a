/** System V objects, by key and number (ipc_namespaces(7), sysvipc(7)). */
import { Namespace, type NamespaceNumbers } from './namespace.ts'
import type { UserNamespace } from './user.ts'

/** A namespace of objects. What they are is for `ipc/`. */
export class IpcNamespace extends Namespace {
  readonly kind = 'ipc'
  readonly owner: UserNamespace
  /** Told when the last one has left it. */
  readonly onEnd: (() => void)[] = []

  constructor(numbers: NamespaceNumbers, owner: UserNamespace, isFirst = false) {
    super('ipc', numbers, isFirst)
    this.owner = owner
    if (isFirst) this.enter()
  }
  protected override end(): void {
    for (const told of this.onEnd) told()
  }
}
