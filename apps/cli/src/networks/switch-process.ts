/** The host process of a network's switch: found, or started on demand. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  inspectSwitch,
  joinSwitch,
  type SwitchJoin,
  type SwitchMember,
  type SwitchUplink,
} from '@vmexit/container/node'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { start } from '../hosted/start.ts'
import { type Found, StateDirectory } from '../hosted/state-directory.ts'
import { isAlive, statusOf } from '../hosted/status.ts'
import { type NetworkRecord, Networks } from './record.ts'

/** Milliseconds in which a switch is there, and between two looks. */
const PATIENCE = 20_000
const PAUSE = 50

/** What the instance of a network is called. */
function instanceName({ name }: NetworkRecord): string {
  return `network-${name}`
}

/** The instance that is the network's switch, or was. */
export function instanceOf(record: NetworkRecord): Found | undefined {
  const found = new StateDirectory().list().find(({ instance: { name } }) => name === instanceName(record))
  if (found === undefined || found.instance.kind === 'network') return found
  throw new VmexitError('instance-name', {
    problem: `the name ${instanceName(record)} is taken by what is no network`,
    remedy: `remove that: vmexit rm ${instanceName(record)}`,
  })
}

/** Plugs a container in, by a switch that runs or is started. @throws VmexitError. */
export async function plugIn(record: NetworkRecord, join: Omit<SwitchJoin, 'path' | 'again'>): Promise<SwitchUplink> {
  const networks = new Networks()
  const path = networks.socket(record)
  const again = async (): Promise<void> => {
    // One that was removed is not brought back, nor is another of its name.
    if (networks.find(record.name).id !== record.id) throw new Error('it was removed')
    await startSwitch(record)
  }
  for (const end = performance.now() + PATIENCE; ; ) {
    try {
      return await joinSwitch({ path, again, ...join })
    } catch (error) {
      if (!isVmexitError(error) || error.code !== 'container-switch-gone' || performance.now() > end) throw error
    }
    await startSwitch(record)
  }
}

/** Who is on a network; nobody where it has no switch at the moment. */
export async function membersOf(record: NetworkRecord): Promise<readonly SwitchMember[]> {
  try {
    return (await inspectSwitch(new Networks().socket(record))).members
  } catch (error) {
    if (isVmexitError(error) && error.code === 'container-switch-gone') return []
    throw error
  }
}

/** Starts it, unless somebody else does at this moment. */
async function startSwitch(record: NetworkRecord): Promise<void> {
  const state = new StateDirectory()
  const before = instanceOf(record)
  if (before !== undefined) {
    const status = await statusOf(before)
    if (isAlive(status) || status.state === 'created') {
      await sleep(PAUSE)
      return
    }
    state.remove(before)
  }
  try {
    const started = await start({ kind: 'network', name: instanceName(record), what: record.subnet, options: record })
    started.leaveAlone()
  } catch (error) {
    if (!isVmexitError(error) || error.code !== 'instance-name') throw error
    await sleep(PAUSE)
  }
}
