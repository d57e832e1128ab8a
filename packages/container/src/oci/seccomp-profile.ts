/**
 * Files of filters: `linux.seccomp` of an OCI configuration, and Docker's own form, whose rules say for which capabilities, machines and
 * kernels they are (moby, "Seccomp security profiles for Docker").
 */
import { Cap, type CapabilitySet, type OciSeccomp } from '@vmexit/linux'
import * as v from 'valibot'
import { containerError } from '../errors.ts'
import { readDocument } from './config.ts'
import { profileOf } from './rights.ts'

/** As Docker names this machine, and the version of Linux that this kernel is. */
const MACHINES = ['x86', '386', 'i386', 'i686']
const KERNEL: readonly [number, number] = [6, 1]

const text = v.string()
const filter = v.nullish(
  v.looseObject({
    caps: v.nullish(v.array(text)),
    arches: v.nullish(v.array(text)),
    minKernel: v.nullish(text),
  }),
)
const schema = v.looseObject({
  defaultAction: text,
  defaultErrnoRet: v.nullish(v.number()),
  syscalls: v.nullish(
    v.array(
      v.looseObject({
        names: v.optional(v.array(text)),
        name: v.optional(text),
        action: text,
        errnoRet: v.nullish(v.number()),
        args: v.nullish(
          v.array(v.looseObject({ index: v.number(), value: v.number(), valueTwo: v.nullish(v.number()), op: text })),
        ),
        includes: filter,
        excludes: filter,
      }),
    ),
  ),
})

/** Reads one, for a container with these capabilities. @throws VmexitError `container-config`. */
export function readSeccompProfile(bytes: Uint8Array, capabilities: CapabilitySet): OciSeccomp {
  const { defaultAction, defaultErrnoRet, syscalls } = readDocument(bytes, schema, 'the seccomp profile')
  const has = (name: string): boolean => {
    const number = Cap[name.replace(/^CAP_/, '') as keyof typeof Cap]
    return number !== undefined && ((capabilities >> BigInt(number)) & 1n) !== 0n
  }
  const rules = (syscalls ?? []).flatMap(({ names, name, action, errnoRet, args, includes, excludes }) => {
    const { caps, arches, minKernel } = includes ?? {}
    if ((caps ?? []).some((each) => !has(each))) return []
    if ((arches ?? []).length > 0 && !arches!.some((each) => MACHINES.includes(each))) return []
    if (minKernel != null && !isSince(minKernel)) return []
    if ((excludes?.caps ?? []).some(has) || (excludes?.arches ?? []).some((each) => MACHINES.includes(each))) return []
    const all = names ?? (name === undefined ? [] : [name])
    const conditions = (args ?? []).map(({ valueTwo, ...rest }) => ({ ...rest, valueTwo: valueTwo ?? 0 }))
    return [{ names: all, action, ...(errnoRet != null && { errnoRet }), args: conditions }]
  })
  return profileOf({ defaultAction, ...(defaultErrnoRet != null && { defaultErrnoRet }), syscalls: rules })
}

function isSince(version: string): boolean {
  const [, major, minor] = /^([0-9]+)\.([0-9]+)/.exec(version) ?? []
  if (major === undefined)
    return containerError('config', `the seccomp profile has minKernel ${version}`, 'give a version such as 4.8')
  return KERNEL[0] > Number(major) || (KERNEL[0] === Number(major) && KERNEL[1] >= Number(minor))
}
