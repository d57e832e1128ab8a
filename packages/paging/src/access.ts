/**
 * What an access wants and what a translation grants (Intel SDM Vol. 3A, 4.6 "Access Rights"). Written once, for the
 * page walk and for hits in the modelled TLB.
 */
import type { WalkControls } from './controls.ts'

/** What an access is, as bits. The values of the first three are those of the page-fault error code (4.7). */
export const Access = {
  READ: 0,
  WRITE: 2,
  /** User mode: CPL 3. */
  USER: 4,
  /** Instruction fetch. Never together with `WRITE`. */
  FETCH: 16,
  /** Implicit supervisor access, to a descriptor table or a TSS: supervisor mode whatever `USER` says, and EFLAGS.AC does not help. */
  IMPLICIT: 0x100,
  /** Look without a trace: accessed and dirty flags stay as they are. */
  PEEK: 0x200,
  /** Second stage only: the access is to a paging structure of the guest. */
  TABLE: 0x400,
} as const

/** What a translation grants and is, as bits. */
export const Right = {
  WRITE: 1,
  /** User-mode address. */
  USER: 2,
  EXECUTE: 4,
  /** Survives a CR3 load. */
  GLOBAL: 8,
  /** The dirty flag (of both stages, where there are two) is set. */
  DIRTY: 16,
  /** What the second stage grants; all three where there is none. */
  STAGE_READ: 32,
  STAGE_WRITE: 64,
  STAGE_EXECUTE: 128,
  STAGE_ALL: 224,
} as const

/** Is the access made in user mode? */
export function isUserMode(access: number): boolean {
  return (access & (Access.USER | Access.IMPLICIT)) === Access.USER
}

/** Do the rights of a linear address (4.6.1) allow the access? */
export function permitsLinear(rights: number, access: number, controls: WalkControls): boolean {
  const userPage = (rights & Right.USER) !== 0
  if (isUserMode(access)) {
    if (!userPage) return false
    if ((access & Access.WRITE) !== 0) return (rights & Right.WRITE) !== 0
    return (access & Access.FETCH) === 0 || (rights & Right.EXECUTE) !== 0
  }
  if ((access & Access.FETCH) !== 0) return (rights & Right.EXECUTE) !== 0 && !(userPage && controls.smep)
  if (userPage && controls.smap && (!controls.ac || (access & Access.IMPLICIT) !== 0)) return false
  return (access & Access.WRITE) === 0 || (rights & Right.WRITE) !== 0 || !controls.wp
}

/** Does the second stage allow the access? */
export function permitsStage(rights: number, access: number): boolean {
  if ((access & Access.FETCH) !== 0) return (rights & Right.STAGE_EXECUTE) !== 0
  return (rights & ((access & Access.WRITE) !== 0 ? Right.STAGE_WRITE : Right.STAGE_READ)) !== 0
}
