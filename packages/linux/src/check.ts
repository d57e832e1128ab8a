/** Looks whether a kernel's books are in order: frames, address spaces, descriptors, tasks. For tests, behind each run. */
import { vdsoPagesOf } from './exec/load.ts'
import { AnonymousFile } from './files/anonymous-file.ts'
import type { OpenFile } from './files/open-file.ts'
import { segmentsOf } from './ipc/shared-memory.ts'
import type { AddressSpace } from './memory/address-space.ts'
import type { FilePages } from './memory/file-pages.ts'
import { SocketFile } from './net/socket-file.ts'
import type { Kernel, Task } from './system.ts'

/** What is wrong, a sentence each; nothing where all is as it should be. */
export function checkKernel(kernel: Kernel): string[] {
  const wrong: string[] = []
  const tasks = [...kernel.processes.values()].flatMap((proc) => [...proc.tasks])
  const users = new Map<AddressSpace, number>()
  for (const { space } of tasks) users.set(space, (users.get(space) ?? 0) + 1)
  checkFrames(kernel, [...users.keys()], wrong)
  for (const [space, count] of users) {
    if (space.users !== count) wrong.push(`address space ${space.id} has ${count} tasks and counts ${space.users}`)
    checkAreas(space, wrong)
  }
  checkDescriptors(kernel, tasks, wrong)
  for (const task of tasks) checkTask(kernel, task, wrong)
  checkGroups(kernel, tasks, wrong)
  for (const proc of kernel.processes.values()) {
    if (proc.tasks.size === 0 && proc.status === undefined)
      wrong.push(`process ${proc.pid} has neither tasks nor a status`)
    if (proc.parent !== null && !proc.parent.children.has(proc))
      wrong.push(`process ${proc.pid} is no child of its parent`)
    for (const { tid, tracing } of proc.tracees)
      if (tracing?.tracer !== proc) wrong.push(`process ${proc.pid} traces task ${tid}, which does not know it`)
  }
  for (const task of tasks) checkTracing(task, wrong)
  return wrong
}

/** Who is stopped for a tracer has one that lives. */
function checkTracing(task: Task, wrong: string[]): void {
  const { tid, state, tracing } = task
  if (tracing === undefined) {
    if (state === 'traced') wrong.push(`task ${tid} is stopped for a tracer that it has not`)
    return
  }
  if (tracing.tracer.status !== undefined) wrong.push(`the tracer of task ${tid} has ended`)
  if (!tracing.tracer.tracees.has(task)) wrong.push(`the tracer of task ${tid} does not know it`)
  if (state === 'traced' && tracing.stop === undefined) wrong.push(`task ${tid} is stopped for nothing`)
  if (state !== 'traced' && tracing.stop !== undefined) wrong.push(`task ${tid} has a stop and is ${state}`)
}

/** Every frame has as many references as page tables, caches and the kernel itself have to it. */
function checkFrames(kernel: Kernel, spaces: readonly AddressSpace[], wrong: string[]): void {
  const { frames, machine, pageCache } = kernel
  const expected = new Map<number, number>()
  const add = (frame: number): void => void expected.set(frame, (expected.get(frame) ?? 0) + 1)
  for (const frame of machine.ownFrames) add(frame)
  const caches = new Set<FilePages>(pageCache.all())
  const vdso = vdsoPagesOf(kernel)
  if (vdso !== undefined) caches.add(vdso)
  const mappings = new Map<FilePages, number>(vdso === undefined ? [] : [[vdso, 1]])
  for (const pages of segmentsOf(kernel)) {
    caches.add(pages)
    mappings.set(pages, 1)
  }
  for (const space of spaces) {
    for (const frame of space.table.ownFrames()) add(frame)
    for (const area of space.areas.list) {
      if (area.pages !== undefined) {
        caches.add(area.pages)
        mappings.set(area.pages, (mappings.get(area.pages) ?? 0) + 1)
      }
      space.table.each(area.start, area.end, (_page, entry) => add(entry >>> 12))
    }
  }
  for (const cache of caches) {
    for (const frame of cache.frames()) add(frame)
    const count = mappings.get(cache) ?? 0
    if (cache.mappings !== count) wrong.push(`${cache.name} has ${count} areas and counts ${cache.mappings}`)
  }
  expected.delete(frames.zero)
  for (const [frame, references] of frames.all()) {
    const count = expected.get(frame) ?? 0
    if (count !== references) wrong.push(`frame ${frame} has ${count} owners and ${references} references`)
    expected.delete(frame)
  }
  for (const [frame, count] of expected) wrong.push(`frame ${frame} has ${count} owners and is free`)
}

/** Areas are in order and do not overlap, and no page outside of them has a frame. */
function checkAreas(space: AddressSpace, wrong: string[]): void {
  let end = 0
  let size = 0
  for (const area of space.areas.list) {
    if (area.start < end || area.end <= area.start)
      wrong.push(`areas of space ${space.id} overlap at page ${area.start}`)
    space.table.each(
      end,
      area.start,
      (page) => void wrong.push(`page ${page} of space ${space.id} has a frame and no area`),
    )
    end = area.end
    size += area.end - area.start
  }
  if (size !== space.size) wrong.push(`space ${space.id} has ${size} pages and counts ${space.size}`)
}

function checkDescriptors(kernel: Kernel, tasks: readonly Task[], wrong: string[]): void {
  const tables = new Map<Task['files'], number>()
  for (const { files } of tasks) tables.set(files, (tables.get(files) ?? 0) + 1)
  const references = new Map<OpenFile, number>()
  for (const [table, count] of tables) {
    if (table.users !== count) wrong.push(`a table of descriptors has ${count} tasks and counts ${table.users}`)
    for (const fd of table.numbers()) references.set(table.get(fd)!, (references.get(table.get(fd)!) ?? 0) + 1)
  }
  // Files on their way between processes have references as well.
  const { rights } = kernel.network
  rights.collect()
  if (tasks.length === 0 && rights.total > 0) wrong.push(`${rights.total} files are on their way to nobody`)
  for (const [file, count] of rights.all()) references.set(file, (references.get(file) ?? 0) + count)
  for (const [file, count] of references) {
    // What the host holds on to has one more.
    const most = file instanceof AnonymousFile ? count + 1 : count
    if (file.references < count || file.references > most)
      wrong.push(`a file has ${count} descriptors and ${file.references} references`)
  }
  const sockets = [...references.keys()].filter((file) => file instanceof SocketFile).length
  if (kernel.network.sockets !== sockets)
    wrong.push(`there are ${sockets} sockets and ${kernel.network.sockets} are counted`)
}

/** Every task is a thread of the hierarchy, which has no others, and is charged once. */
function checkGroups(kernel: Kernel, tasks: readonly Task[], wrong: string[]): void {
  const { tree } = kernel.groups
  for (const { thread, tid } of tasks) if (!thread.alive) wrong.push(`task ${tid} has ended in its group`)
  const ended = [...kernel.processes.values()].filter(({ pid, tasks: own }) => ![...own].some(({ tid }) => tid === pid))
  const threads = [...tree.members.threads()].length
  const expected = tasks.length + ended.length
  if (threads !== expected) wrong.push(`there are ${expected} tasks, and ${threads} threads in groups`)
  const { usage } = tree.root.pids
  if (usage !== threads) wrong.push(`groups are charged for ${usage} of ${threads} threads`)
}

function checkTask(kernel: Kernel, task: Task, wrong: string[]): void {
  const { state, tid } = task
  if (state === 'ended') wrong.push(`task ${tid} has ended and is in its process`)
  if (state === 'ready' && task !== kernel.current && !task.thread.active)
    wrong.push(`task ${tid} is ready and never runs`)
  if (state !== 'ready' && task.thread.active) wrong.push(`task ${tid} is ${state} and is to run`)
  if (state !== 'blocked' && task.queues.length > 0) wrong.push(`task ${tid} is ${state} and waits`)
  if (kernel.ns.pid.tasks.get(tid) !== task) wrong.push(`task ${tid} is not found by its number`)
}
