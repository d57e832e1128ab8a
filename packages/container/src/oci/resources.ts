/** `linux.resources` as files of a control group (runtime-spec, "Control groups"; "Control Group v2"): memory, CPU, processes. */
import { containerError } from '../errors.ts'
import type { GroupFile } from '../group.ts'
import type { OciCpu, OciMemory, OciResources } from './config.ts'

/** There is one CPU, and one node of memory. */
const THE_ONLY = ['', '0', '0-0']

/** The files. @throws VmexitError `container-unsupported` for limits that cannot be had. */
export function groupFiles(resources: OciResources = {}): GroupFile[] {
  const { memory = {}, cpu = {}, pids, unified = {}, devices = [] } = resources
  refuseOthers(resources)
  // Which devices there are is fixed, and they are harmless: whatever is allowed beyond is not there.
  const denied = devices.filter(({ allow, type = 'a' }) => !allow && type !== 'a')
  if (denied.length > 0)
    refuse(
      'devices',
      'single devices cannot be denied',
      'deny all of them, or leave it out: there are harmless ones alone',
    )
  const files: GroupFile[] = [...memoryFiles(memory), ...cpuFiles(cpu)]
  const limit = pids?.limit ?? 0
  if (limit !== 0) files.push(['pids.max', limit < 0 ? 'max' : String(limit)])
  for (const [file, text] of Object.entries(unified)) {
    if (!/^(cpu|memory|pids)\.[a-z.]+$/.test(file))
      refuse(`unified["${file}"]`, 'there is no such file', 'use those of the controllers cpu, memory and pids')
    files.push([file, text])
  }
  return files
}

function memoryFiles(memory: OciMemory): GroupFile[] {
  const { limit = 0, reservation = 0, swap = 0, kernel = 0, kernelTCP = 0, swappiness, disableOOMKiller } = memory
  if (kernel > 0 || kernelTCP > 0)
    refuse('memory.kernel', 'there is no limit of kernel memory alone', 'use memory.limit, which counts it')
  if (swappiness !== undefined) refuse('memory.swappiness', 'nothing is swapped out', 'leave it out')
  if (disableOOMKiller === true) refuse('memory.disableOOMKiller', 'a group without memory is killed', 'leave it out')
  if (memory.useHierarchy === false) refuse('memory.useHierarchy', 'groups are always hierarchical', 'leave it out')
  if (swap > 0 && swap < limit) refuse('memory.swap', 'it is less than memory.limit', 'give the sum of memory and swap')
  const files: GroupFile[] = []
  if (limit !== 0) files.push(['memory.max', limit < 0 ? 'max' : String(limit)])
  if (reservation !== 0) files.push(['memory.low', reservation < 0 ? 'max' : String(reservation)])
  return files
}

function cpuFiles(cpu: OciCpu): GroupFile[] {
  const { shares = 0, quota = 0, period = 0, burst = 0, cpus = '', mems = '', idle = 0 } = cpu
  if ((cpu.realtimeRuntime ?? 0) > 0 || (cpu.realtimePeriod ?? 0) > 0)
    refuse('cpu.realtimeRuntime', 'there is no real-time scheduling', 'leave it out')
  if (!THE_ONLY.includes(cpus)) refuse('cpu.cpus', 'there is one CPU', "give '0', or leave it out")
  if (!THE_ONLY.includes(mems)) refuse('cpu.mems', 'there is one node of memory', "give '0', or leave it out")
  if (idle !== 0) refuse('cpu.idle', 'there is no idle scheduling', 'give small cpu.shares')
  const files: GroupFile[] = []
  if (shares !== 0) files.push(['cpu.weight', String(weightOf(shares))])
  if (quota !== 0 || period !== 0) {
    const text = quota > 0 ? String(quota) : 'max'
    files.push(['cpu.max', period > 0 ? `${text} ${period}` : text])
  }
  if (burst !== 0) files.push(['cpu.max.burst', String(burst)])
  return files
}

/** Shares of version 1, 2 to 262144, as a weight of version 2, 1 to 10000: by the line that runc and crun draw. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142)
}

function refuseOthers({ blockIO = {}, hugepageLimits = [], network = {}, rdma = {} }: OciResources): void {
  const isSet = (value: unknown): boolean =>
    value !== undefined && value !== null && value !== 0 && !(Array.isArray(value) && value.length === 0)
  if (Object.values(blockIO).some(isSet)) refuse('blockIO', 'there are no block devices', 'leave it out')
  if (hugepageLimits.length > 0) refuse('hugepageLimits', 'there are no huge pages', 'leave it out')
  if (Object.values(network).some(isSet)) refuse('network', 'packets have no classes', 'leave it out')
  if (Object.keys(rdma).length > 0) refuse('rdma', 'there is no RDMA', 'leave it out')
}

function refuse(what: string, why: string, remedy: string): never {
  return containerError('unsupported', `linux.resources.${what}: ${why}`, remedy)
}
