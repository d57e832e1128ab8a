/** Puts a program into a new address space: its segments, its interpreter's, the vDSO and a stack (execve(2)). */
import {
  Access,
  At,
  type ByteString,
  type File,
  isRegular,
  MountFlag,
  Open,
  type Path,
  rootCredentials,
} from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { placeName } from '../files/place-name.ts'
import { AddressSpace } from '../memory/address-space.ts'
import { FilePages } from '../memory/file-pages.ts'
import { type Frames, PAGE } from '../memory/frames.ts'
import { KERNEL_PAGE } from '../memory/page-table.ts'
import { Prot } from '../memory/vma.ts'
import type { Kernel, Task } from '../system.ts'
import { unlimited } from '../tasks/account.ts'
import { limitSpace } from '../tasks/apply-limit.ts'
import type { Ids } from '../tasks/credentials.ts'
import { type ElfImage, readImage } from './image.ts'
import { privilegesOf } from './privileges.ts'
import { Aux, initialStack } from './stack.ts'
import { VDSO, vdsoImage } from './vdso.ts'

/** A program that is ready to run. */
export interface Program {
  readonly space: AddressSpace
  readonly entry: number
  readonly sp: number
  readonly path: Path
  /** As it was named, for ps. */
  readonly name: ByteString
  /** Who the task is from then on. */
  readonly ids: Ids
}

/** Scripts whose interpreters are scripts. */
const DEEPEST = 5
/** Where position-independent programs go: two thirds of the user's part (ELF_ET_DYN_BASE). */
const DYNAMIC_BASE = 0x8000_0000
/** Pages of a stack at the start, which grows. */
const STACK_PAGES = 33
const CLOCK_TICKS = 100
const MIN_SIGNAL_STACK = 1168

/** Loads a program for a task, which goes on as it is if the answer is an error. `at` is where relative paths begin. */
export function loadProgram(
  kernel: Kernel,
  task: Task,
  at: Path | null,
  path: ByteString,
  flags: number,
  args: readonly ByteString[],
  env: readonly ByteString[],
): Program | number {
  const { vfs } = kernel
  let wanted = path
  let place = at
  let lookup = flags
  let words = args.length === 0 ? [''] : args
  for (let depth = 0; depth < DEEPEST; depth++) {
    const file = openProgram(kernel, task, place, wanted, lookup)
    if (typeof file === 'number') return file
    const image = readImage(vfs, file)
    if (typeof image === 'number') {
      vfs.close(file)
      return image
    }
    if ('segments' in image) {
      const program = build(kernel, task, file, image, path, words, env)
      vfs.close(file)
      return program
    }
    vfs.close(file)
    words = [image.interpreter, ...(image.argument === undefined ? [] : [image.argument]), wanted, ...words.slice(1)]
    wanted = image.interpreter
    place = null
    lookup = 0
  }
  return -Errno.ELOOP
}

/** Opens a program file: it must be executable, but need not be readable. */
function openProgram(kernel: Kernel, task: Task, at: Path | null, path: ByteString, flags: number): File | number {
  const { vfs } = kernel
  const { context } = task
  const allowed = vfs.access(context, at, path, Access.X_OK, flags | At.AT_EACCESS)
  if (allowed < 0) return allowed
  const { credentials } = context
  context.credentials = rootCredentials
  const follow = (flags & At.AT_SYMLINK_NOFOLLOW) === 0 ? 0 : Open.O_NOFOLLOW
  const isNamed = path !== '' || at === null
  const file = isNamed ? vfs.open(context, at, path, Open.O_RDONLY | follow) : vfs.reopen(context, at, Open.O_RDONLY)
  context.credentials = credentials
  if (typeof file === 'number') return file
  const busy = vfs.denyWriting(file)
  if (busy === 0) vfs.allowWriting(file)
  if (busy < 0) {
    vfs.close(file)
    return busy
  }
  if (isRegular(file.inode.mode) && (file.path.mount.flags & MountFlag.NOEXEC) === 0) return file
  vfs.close(file)
  return -Errno.EACCES
}

function build(
  kernel: Kernel,
  task: Task,
  file: File,
  image: ElfImage,
  path: ByteString,
  args: readonly ByteString[],
  env: readonly ByteString[],
): Program | number {
  const { vfs } = kernel
  const account = task.process.account
  let interpreter: { file: File; image: ElfImage } | undefined
  if (image.interpreter !== '') {
    const opened = openProgram(kernel, task, null, image.interpreter, 0)
    if (typeof opened === 'number') return opened
    const found = readImage(vfs, opened)
    if (typeof found === 'number' || !('segments' in found)) {
      vfs.close(opened)
      return -Errno.ELIBBAD
    }
    interpreter = { file: opened, image: found }
  }
  const space = new AddressSpace(kernel.frames, account, kernel.tlb, kernel.machine.kernelEntries)
  let program: Program | number = -Errno.ENOMEM
  if (space.table.root !== 0) {
    program = fill(kernel, task, space, file, image, interpreter, path, args, env)
    if (typeof program === 'number') space.free()
  }
  if (interpreter !== undefined) vfs.close(interpreter.file)
  return program
}

function fill(
  kernel: Kernel,
  task: Task,
  space: AddressSpace,
  file: File,
  image: ElfImage,
  interpreter: { file: File; image: ElfImage } | undefined,
  path: ByteString,
  args: readonly ByteString[],
  env: readonly ByteString[],
): Program | number {
  limitSpace(space, task.process.limits)
  const top = KERNEL_PAGE
  const stack = space.map(
    top - STACK_PAGES,
    STACK_PAGES,
    { prot: Prot.READ | Prot.WRITE | Prot.EXEC, growsDown: true, name: '[stack]' },
    'new',
  )
  if (stack < 0) return stack
  const base = image.isDynamic ? (interpreter === undefined ? -1 : DYNAMIC_BASE) : 0
  const loaded = mapImage(kernel, task, space, file, image, base)
  if (typeof loaded === 'number') return loaded
  space.brkStart = space.brkEnd = loaded.end
  let { entry } = loaded
  let interpreterBase = 0
  if (interpreter !== undefined) {
    const other = mapImage(
      kernel,
      task,
      space,
      interpreter.file,
      interpreter.image,
      interpreter.image.isDynamic ? -1 : 0,
    )
    if (typeof other === 'number') return other
    interpreterBase = other.base
    entry = other.entry
  }
  const vdso = space.map(0, 1, { prot: Prot.READ | Prot.EXEC, pages: vdsoPages(kernel), name: '[vdso]' }, 'free')
  if (vdso < 0) return vdso
  space.vdso = vdso * PAGE

  const privileges = privilegesOf(task, file)
  if (typeof privileges === 'number') return privileges
  const { ids, isSecure } = privileges
  const { uids, gids } = ids.user
  const random = new Uint8Array(16)
  kernel.random.fill(random)
  const features = new Int32Array(4)
  kernel.cpu.model.cpuid(kernel.cpu, 1, 0, features)
  const contents = initialStack(
    {
      args,
      env,
      executable: path,
      random,
      aux: [
        [Aux.SYSINFO, space.vdso + VDSO.vsyscall],
        [Aux.SYSINFO_EHDR, space.vdso],
        [Aux.MINSIGSTKSZ, MIN_SIGNAL_STACK],
        [Aux.HWCAP, features[3]!],
        [Aux.PAGESZ, PAGE],
        [Aux.CLKTCK, CLOCK_TICKS],
        [Aux.PHDR, loaded.headers],
        [Aux.PHENT, 32],
        [Aux.PHNUM, image.headerCount],
        [Aux.BASE, interpreterBase],
        [Aux.FLAGS, 0],
        [Aux.ENTRY, loaded.entry],
        [Aux.UID, uids.shown(ids.uid)],
        [Aux.EUID, uids.shown(ids.euid)],
        [Aux.GID, gids.shown(ids.gid)],
        [Aux.EGID, gids.shown(ids.egid)],
        [Aux.SECURE, isSecure ? 1 : 0],
        [Aux.HWCAP2, 0],
      ],
    },
    top * PAGE,
  )
  if (contents.bytes.length > Math.min(space.stackLimit * PAGE, 64 << 20) / 4 + STACK_PAGES * PAGE) return -Errno.E2BIG
  if (!store(kernel, space, contents.sp, contents.bytes)) return -Errno.ENOMEM
  Object.assign(space.strings, {
    args: contents.argsStart,
    argsEnd: contents.argsEnd,
    env: contents.envStart,
    envEnd: contents.envEnd,
    auxv: contents.auxv,
  })
  return { space, entry, sp: contents.sp, path: file.path, name: path, ids }
}

/** Maps the segments of a file, from `base` on, or where there is room if that is −1. */
function mapImage(
  kernel: Kernel,
  task: Task,
  space: AddressSpace,
  file: File,
  image: ElfImage,
  base: number,
): { base: number; entry: number; end: number; headers: number } | number {
  const pages = kernel.pageCache.of(file.inode)
  const shown = { pages, file: file.inode, name: placeName(kernel, task.context, file.path) }
  const first = image.segments[0]!
  const last = image.segments.at(-1)!
  const low = Math.floor(first.address / PAGE)
  const span = Math.ceil((last.address + last.memoryBytes) / PAGE) - low
  let offset = base
  if (base < 0) {
    const room = space.map(0, span, { prot: 0 }, 'free')
    if (room < 0) return room
    space.unmap(room, span)
    offset = (room - low) * PAGE
  }
  let end = 0
  let headers = 0
  for (const segment of image.segments) {
    const address = segment.address + offset
    const page = Math.floor(address / PAGE)
    const filePages = Math.ceil((address + segment.fileBytes) / PAGE) - page
    const allPages = Math.ceil((address + segment.memoryBytes) / PAGE) - page
    const what = { prot: segment.prot, mayWrite: true }
    if (segment.fileBytes > 0) {
      const offset = Math.floor(segment.offset / PAGE)
      const answer = space.map(page, filePages, { ...what, ...shown, offset }, 'fixed')
      if (answer < 0) return answer
    }
    const already = segment.fileBytes > 0 ? filePages : 0
    if (allPages > already) {
      const mapped = space.map(page + already, allPages - already, what, 'fixed')
      if (mapped < 0) return mapped
    }
    const fileEnd = address + segment.fileBytes
    if (
      segment.memoryBytes > segment.fileBytes &&
      fileEnd % PAGE !== 0 &&
      segment.fileBytes > 0 &&
      (segment.prot & Prot.WRITE) !== 0
    ) {
      // To the end of the page: ld.so takes the rest of it as its first heap.
      if (!store(kernel, space, fileEnd, new Uint8Array(PAGE - (fileEnd % PAGE)))) return -Errno.ENOMEM
    }
    end = Math.max(end, (page + allPages) * PAGE)
    const { headersOffset } = image
    if (headersOffset >= segment.offset && headersOffset < segment.offset + segment.fileBytes)
      headers = address + headersOffset - segment.offset
  }
  return { base: offset, entry: image.entry + offset, end, headers }
}

/** Stores bytes into a space that the CPU does not have. */
export function store(kernel: Kernel, space: AddressSpace, address: number, bytes: Uint8Array): boolean {
  for (let done = 0; done < bytes.length; ) {
    const at = address + done
    const part = Math.min(PAGE - (at % PAGE), bytes.length - done)
    const physical = space.physical(at, true)
    if (physical < 0) return false
    kernel.machine.memory.writeBytes(physical, bytes.subarray(done, done + part))
    done += part
  }
  return true
}

const vdsos = new WeakMap<Frames, FilePages>()

/** The vDSO's page, the same frame in all programs. */
function vdsoPages(kernel: Kernel): FilePages {
  const known = vdsos.get(kernel.frames)
  if (known !== undefined) return known
  const pages = new FilePages(kernel.frames, null, '[vdso]')
  // It is there for ever.
  pages.mapped()
  const frame = pages.frame(0, unlimited)
  if (frame > 0) kernel.machine.memory.writeBytes(frame * PAGE, vdsoImage())
  vdsos.set(kernel.frames, pages)
  return pages
}

/** For checks. */
export function vdsoPagesOf(kernel: Kernel): FilePages | undefined {
  return vdsos.get(kernel.frames)
}
