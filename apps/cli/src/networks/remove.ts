/** The end of a network: of its switch, and of what is kept of it. */
import { VmexitError } from '@vmexit/core'
import { stop } from '../hosted/signals.ts'
import { StateDirectory } from '../hosted/state-directory.ts'
import { isAlive, statusOf } from '../hosted/status.ts'
import { Networks } from './record.ts'
import { instanceOf, membersOf } from './switch-process.ts'

/** Seconds that its process may take to end. */
const PATIENCE = 5

/** @throws VmexitError `network-used`, unless `force` is given. */
export async function removeNetwork(name: string, force: boolean): Promise<void> {
  const networks = new Networks()
  const record = networks.find(name)
  const members = force ? [] : await membersOf(record)
  if (members.length > 0) {
    const names = members.map((one) => one.aliases[0] ?? one.name).join(', ')
    throw new VmexitError('network-used', {
      problem: `${names} ${members.length === 1 ? 'is' : 'are'} on the network ${name}`,
      remedy: `end them by \`vmexit stop\`; or take them off it: vmexit network rm -f ${name}`,
    })
  }
  // Nobody starts its switch again.
  networks.remove(record)
  const found = instanceOf(record)
  if (found === undefined) return
  if (isAlive(await statusOf(found))) await stop(found, PATIENCE)
  new StateDirectory().remove(found)
}
