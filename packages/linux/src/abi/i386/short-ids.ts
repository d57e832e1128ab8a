/** Ids as calls of sixteen bits have them (Linux's include/linux/highuid.h). */
import { OVERFLOW_ID } from '../../namespaces/user.ts'

/** One that does not fit is nobody's. */
export const short = (id: number): number => (id > 0xffff ? OVERFLOW_ID : id)
/** All ones are −1. */
export const wide = (id: number): number => ((id & 0xffff) === 0xffff ? -1 : id & 0xffff)
