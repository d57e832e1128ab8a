/** What /proc/N says of its memory: areas, and the pages that they have (proc_pid_maps(5), proc_pid_smaps(5), proc_pid_auxv(5)). */
import { type Frames, PAGE } from '../memory/frames.ts'
import { Entry } from '../memory/page-table.ts'
import { type Area, OnFork, Prot } from '../memory/vma.ts'
import type { Task } from '../system.ts'

/** /proc/N/maps. */
export function mapsText({ space }: Task): string {
  return space.areas.list.map(areaLine).join('')
}

/** /proc/N/smaps: each area, and how much of it has pages. */
export function smapsText(task: Task): string {
  return task.space.areas.list
    .map((area) => {
      const kilobytes = (area.end - area.start) * (PAGE / 1024)
      const sizes = { Size: kilobytes, KernelPageSize: PAGE / 1024, MMUPageSize: PAGE / 1024 }
      const flags = `THPeligible:    0\nVmFlags: ${flagsOf(area).join(' ')} \n`
      return areaLine(area) + rows(sizes) + rows(usageRows(usageOf(task, [area]))) + flags
    })
    .join('')
}

/** /proc/N/smaps_rollup: the same of all areas together. */
export function smapsRollupText(task: Task): string {
  const { list } = task.space.areas
  const total = usageOf(task, list)
  const [first, last] = [list[0], list.at(-1)]
  if (first === undefined || last === undefined) return ''
  const { Rss, Pss, Pss_Dirty, ...others } = usageRows(total)
  const parts = { Pss_Anon: total.pssAnonymous, Pss_File: total.pssFile, Pss_Shmem: total.pssShared }
  const kinds = Object.fromEntries(Object.entries(parts).map(([name, pages]) => [name, inKilobytes(pages)]))
  const line = `${hex(first.start)}-${hex(last.end)} ---p 00000000 00:00 0 `
  return `${line.padEnd(73)}[rollup]\n${rows({ Rss, Pss, Pss_Dirty, ...kinds, ...others })}`
}

/** /proc/N/auxv: the vector that the program began with, as bytes. */
export function auxvBytes({ space: { strings } }: Task): Uint8Array {
  const view = new DataView(new ArrayBuffer(strings.auxv.length * 4))
  for (const [n, word] of strings.auxv.entries()) view.setUint32(n * 4, word, true)
  return new Uint8Array(view.buffer)
}

const hex = (page: number): string => (page * PAGE).toString(16).padStart(8, '0')

function areaLine({ start, end, prot, shared, pages, file, offset, name }: Area): string {
  const letter = (bit: number, text: string): string => ((prot & bit) !== 0 ? text : '-')
  const rights = letter(Prot.READ, 'r') + letter(Prot.WRITE, 'w') + letter(Prot.EXEC, 'x') + (shared ? 's' : 'p')
  const label = name || (shared ? (pages?.name ?? '') : '')
  const line = `${hex(start)}-${hex(end)} ${rights} ${file === undefined ? '00000000' : hex(offset)} 00:00 ${file?.ino ?? 0} `
  return label === '' ? `${line.trimEnd()}\n` : `${line.padEnd(49)}${label}\n`
}

/** Two letters for what an area may, and what it may be made to: of `VmFlags`. */
function flagsOf({ prot, shared, mayWrite, growsDown, onFork }: Area): string[] {
  const flags: string[] = []
  const add = (holds: boolean, flag: string): void => {
    if (holds) flags.push(flag)
  }
  add((prot & Prot.READ) !== 0, 'rd')
  add((prot & Prot.WRITE) !== 0, 'wr')
  add((prot & Prot.EXEC) !== 0, 'ex')
  add(shared, 'sh')
  flags.push('mr')
  add(!shared || mayWrite, 'mw')
  flags.push('me')
  add(shared, 'ms')
  add(growsDown, 'gd')
  add((onFork & OnFork.LEAVE) !== 0, 'dc')
  add((onFork & OnFork.WIPE) !== 0, 'wf')
  return flags
}

/** Pages with frames. Of a page that several have, each one's part is counted in what begins with `pss`. */
type Usage = ReturnType<typeof noUsage>
const noUsage = () => ({
  ...{ resident: 0, pss: 0, pssDirty: 0, pssAnonymous: 0, pssFile: 0, pssShared: 0 },
  ...{ sharedClean: 0, sharedDirty: 0, privateClean: 0, privateDirty: 0, referenced: 0, anonymous: 0 },
})

function usageOf({ space: { table, frames } }: Task, areas: readonly Area[]): Usage {
  const usage = noUsage()
  for (const area of areas)
    table.each(area.start, area.end, (page, entry) => {
      const frame = entry >>> 12
      // (As on Linux, the page of zeros is nobody's.)
      if (frame !== frames.zero) count(usage, frames, area, page, entry, frame)
    })
  return usage
}

function count(
  usage: Usage,
  frames: Frames,
  { pages, offset, start }: Area,
  page: number,
  entry: number,
  frame: number,
): void {
  const isCached = pages?.cached(offset + page - start) === frame
  // The cache has one of the references.
  const users = Math.max(1, frames.references(frame) - (isCached ? 1 : 0))
  const isDirty = (entry & Entry.DIRTY) !== 0
  const part = 1 / users
  usage.resident++
  usage.pss += part
  if (isDirty) usage.pssDirty += part
  if (!isCached) {
    usage.anonymous++
    usage.pssAnonymous += part
  } else if (pages!.inode === null) usage.pssShared += part
  else usage.pssFile += part
  if (users > 1) isDirty ? usage.sharedDirty++ : usage.sharedClean++
  else isDirty ? usage.privateDirty++ : usage.privateClean++
  if ((entry & Entry.ACCESSED) !== 0) usage.referenced++
}

const inKilobytes = (pages: number): number => Math.floor((pages * PAGE) / 1024)

function usageRows(usage: Usage): Record<'Rss' | 'Pss' | 'Pss_Dirty' | (string & {}), number> {
  const pages = {
    ...{ Rss: usage.resident, Pss: usage.pss, Pss_Dirty: usage.pssDirty },
    ...{ Shared_Clean: usage.sharedClean, Shared_Dirty: usage.sharedDirty },
    ...{ Private_Clean: usage.privateClean, Private_Dirty: usage.privateDirty },
    ...{ Referenced: usage.referenced, Anonymous: usage.anonymous },
    // There are no huge pages here, no lazily freed ones, and no swap.
    ...{ LazyFree: 0, AnonHugePages: 0, ShmemPmdMapped: 0, FilePmdMapped: 0, Shared_Hugetlb: 0, Private_Hugetlb: 0 },
    ...{ Swap: 0, SwapPss: 0 },
  }
  return Object.fromEntries(Object.entries(pages).map(([name, value]) => [name, inKilobytes(value)])) as Record<
    keyof typeof pages,
    number
  >
}

function rows(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`)
    .join('')
}
