/// <reference types="node" />
/** Node's calls with byte strings for names, and negated error numbers for what they throw. */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { Errno, type ErrnoName } from '../errno.ts'
import { type ByteString, byteStringOf } from '../names.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const ascii = /^[\x00-\x7f]*$/

/** A path as Node takes one of any bytes. */
export function hostPath(path: ByteString): string | Buffer {
  return ascii.test(path) ? path : Buffer.from(path, 'latin1')
}

/** Whether a name names an entry: not the directory, what is above it, or a path. */
export function isPlainName(name: ByteString): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')
}

/** The error number of an error that Node has thrown, negated: EIO for one that is not known here. */
export function answerOf(error: unknown): number {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === undefined) throw error
  return -(Errno[(code === 'ENOTSUP' ? 'EOPNOTSUPP' : code) as ErrnoName] ?? Errno.EIO)
}

/** Attributes of what has a name; links are not followed. */
export function lstat(path: ByteString): BigIntStats | number {
  try {
    return lstatSync(hostPath(path), { bigint: true, throwIfNoEntry: false }) ?? -Errno.ENOENT
  } catch (error) {
    return answerOf(error)
  }
}

/** The names in a directory, in the host's order. */
export function namesIn(path: ByteString): ByteString[] | number {
  try {
    return readdirSync(hostPath(path), { encoding: 'buffer' }).map(byteStringOf)
  } catch (error) {
    return answerOf(error)
  }
}

/** The target of a symbolic link. */
export function targetOf(path: ByteString): ByteString | number {
  try {
    return byteStringOf(readlinkSync(hostPath(path), { encoding: 'buffer' }))
  } catch (error) {
    return answerOf(error)
  }
}
