/**
 * `config.json` of a bundle (OCI Runtime Specification 1.2, "Configuration" and "Linux Container Configuration"): what it may say, as
 * types and as a schema. What is known here and cannot be had is refused by `refusals.ts`; properties that nobody knows are passed over, as
 * the specification asks ("Extensibility").
 */
import * as v from 'valibot'
import { containerError } from '../errors.ts'

/** `process`: the program, and with what it runs. */
export interface OciProcess {
  readonly args?: readonly string[] | undefined
  readonly env?: readonly string[] | undefined
  readonly cwd: string
  readonly terminal?: boolean | undefined
  readonly consoleSize?: { readonly height: number; readonly width: number } | undefined
  readonly user?: OciUser | undefined
  readonly capabilities?: OciCapabilities | undefined
  readonly rlimits?: readonly OciRlimit[] | undefined
  readonly noNewPrivileges?: boolean | undefined
  readonly oomScoreAdj?: number | undefined
  readonly apparmorProfile?: string | undefined
  readonly selinuxLabel?: string | undefined
  readonly scheduler?: unknown
  readonly ioPriority?: unknown
  readonly execCPUAffinity?: unknown
}
/** Who a program is, by numbers. */
export interface OciUser {
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly umask?: number | undefined
  readonly additionalGids?: readonly number[] | undefined
}
/** Names of capabilities(7), `CAP_…`; a set that is not stated is empty. */
export interface OciCapabilities {
  readonly bounding?: readonly string[] | undefined
  readonly effective?: readonly string[] | undefined
  readonly permitted?: readonly string[] | undefined
  readonly inheritable?: readonly string[] | undefined
  readonly ambient?: readonly string[] | undefined
}
/** `RLIMIT_…` of getrlimit(2). */
export interface OciRlimit {
  readonly type: string
  readonly soft: number
  readonly hard: number
}
/** What is mounted, and where in the container. */
export interface OciMount {
  readonly destination: string
  readonly type?: string | undefined
  readonly source?: string | undefined
  readonly options?: readonly string[] | undefined
  readonly uidMappings?: readonly OciIdMapping[] | undefined
  readonly gidMappings?: readonly OciIdMapping[] | undefined
}
/** Ids from one on are those from another one on. */
export interface OciIdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}
/** A program of the host that is run at some point. */
export interface OciHook {
  readonly path: string
  readonly args?: readonly string[] | undefined
  readonly env?: readonly string[] | undefined
  readonly timeout?: number | undefined
}
/** Hooks by when they run. */
export type OciHooks = { readonly [When in HookTime]?: readonly OciHook[] | undefined }
/** When a hook runs. */
export type HookTime = (typeof HOOK_TIMES)[number]
/** A kind of namespace; with a path, that of somebody else. */
export interface OciNamespace {
  readonly type: string
  readonly path?: string | undefined
}
/** A node in /dev. */
export interface OciDevice {
  readonly type: string
  readonly path: string
  readonly major?: number | undefined
  readonly minor?: number | undefined
  readonly fileMode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}
/** Which devices may be used: `access` of `rwm`. */
export interface OciDeviceRule {
  readonly allow: boolean
  readonly type?: string | undefined
  readonly major?: number | undefined
  readonly minor?: number | undefined
  readonly access?: string | undefined
}
/** `linux.resources`. */
export interface OciResources {
  readonly devices?: readonly OciDeviceRule[] | undefined
  readonly memory?: OciMemory | undefined
  readonly cpu?: OciCpu | undefined
  readonly pids?: { readonly limit?: number | undefined } | undefined
  readonly unified?: Readonly<Record<string, string>> | undefined
  readonly blockIO?: Readonly<Record<string, unknown>> | undefined
  readonly hugepageLimits?: readonly unknown[] | undefined
  readonly network?: Readonly<Record<string, unknown>> | undefined
  readonly rdma?: Readonly<Record<string, unknown>> | undefined
}
/** Bytes; −1 is without a limit. */
export interface OciMemory {
  readonly limit?: number | undefined
  readonly reservation?: number | undefined
  readonly swap?: number | undefined
  readonly kernel?: number | undefined
  readonly kernelTCP?: number | undefined
  readonly swappiness?: number | undefined
  readonly disableOOMKiller?: boolean | undefined
  readonly useHierarchy?: boolean | undefined
}
/** Times are microseconds. */
export interface OciCpu {
  readonly shares?: number | undefined
  readonly quota?: number | undefined
  readonly period?: number | undefined
  readonly burst?: number | undefined
  readonly realtimeRuntime?: number | undefined
  readonly realtimePeriod?: number | undefined
  readonly cpus?: string | undefined
  readonly mems?: string | undefined
  readonly idle?: number | undefined
}
/** An offset of a clock. */
export interface OciTimeOffset {
  readonly secs?: number | undefined
  readonly nanosecs?: number | undefined
}
/** `linux.seccomp`: see `OciSeccomp` of `@vmexit/linux`. */
export interface OciSeccompProfile {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number | undefined
  readonly architectures?: readonly string[] | undefined
  readonly flags?: readonly string[] | undefined
  readonly listenerPath?: string | undefined
  readonly listenerMetadata?: string | undefined
  readonly syscalls?: readonly OciSeccompRule[] | undefined
}
/** A rule of a profile. */
export interface OciSeccompRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number | undefined
  readonly args?: readonly OciSeccompArgument[] | undefined
}
/** A condition of a rule. */
export interface OciSeccompArgument {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number | undefined
  readonly op: string
}
/** `linux`. */
export interface OciLinux {
  readonly namespaces?: readonly OciNamespace[] | undefined
  readonly uidMappings?: readonly OciIdMapping[] | undefined
  readonly gidMappings?: readonly OciIdMapping[] | undefined
  readonly timeOffsets?: Readonly<Record<string, OciTimeOffset>> | undefined
  readonly devices?: readonly OciDevice[] | undefined
  readonly cgroupsPath?: string | undefined
  readonly resources?: OciResources | undefined
  readonly rootfsPropagation?: string | undefined
  readonly seccomp?: OciSeccompProfile | undefined
  readonly sysctl?: Readonly<Record<string, string>> | undefined
  readonly maskedPaths?: readonly string[] | undefined
  readonly readonlyPaths?: readonly string[] | undefined
  readonly mountLabel?: string | undefined
  readonly intelRdt?: unknown
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] | undefined } | undefined
}
/** The document. */
export interface OciConfig {
  readonly ociVersion: string
  readonly process?: OciProcess | undefined
  readonly root: { readonly path: string; readonly readonly?: boolean | undefined }
  readonly hostname?: string | undefined
  readonly domainname?: string | undefined
  readonly mounts?: readonly OciMount[] | undefined
  readonly hooks?: OciHooks | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly linux?: OciLinux | undefined
}

/** In the order in which they run. */
// biome-ignore format: one line
export const HOOK_TIMES: readonly ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] =
  ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']

/** The most bytes of a document, and of entries of a list: nobody's are as large. */
const MOST_BYTES = 4 << 20
const MOST_ENTRIES = 16_384

const text = v.pipe(
  v.string(),
  v.check((value) => !value.includes('\0'), 'has a zero in it'),
)
const absolute = v.pipe(
  text,
  v.check((value) => value.startsWith('/'), 'must begin with /'),
)
const list = <Item>(item: v.GenericSchema<unknown, Item>) =>
  v.optional(v.pipe(v.array(item), v.maxLength(MOST_ENTRIES)))
const integer = v.pipe(v.number(), v.integer())
const id = v.pipe(integer, v.minValue(0), v.maxValue(2 ** 32 - 1))
const amount = v.pipe(integer, v.minValue(0))
const texts = list(text)
const map = <Value>(value: v.GenericSchema<unknown, Value>) => v.optional(v.record(text, value))
const mapping = v.looseObject({ containerID: id, hostID: id, size: id })
const anything = v.optional(v.looseObject({}))

const processSchema: v.GenericSchema<unknown, OciProcess> = v.looseObject({
  args: texts,
  env: texts,
  cwd: absolute,
  terminal: v.optional(v.boolean()),
  consoleSize: v.optional(v.looseObject({ height: amount, width: amount })),
  user: v.optional(
    v.looseObject({
      uid: v.optional(id),
      gid: v.optional(id),
      umask: v.optional(v.pipe(integer, v.minValue(0), v.maxValue(0o777))),
      additionalGids: list(id),
    }),
  ),
  capabilities: v.optional(
    v.looseObject({ bounding: texts, effective: texts, permitted: texts, inheritable: texts, ambient: texts }),
  ),
  rlimits: list(v.looseObject({ type: text, soft: amount, hard: amount })),
  noNewPrivileges: v.optional(v.boolean()),
  oomScoreAdj: v.optional(v.pipe(integer, v.minValue(-1000), v.maxValue(1000))),
  apparmorProfile: v.optional(text),
  selinuxLabel: v.optional(text),
  scheduler: v.optional(v.unknown()),
  ioPriority: v.optional(v.unknown()),
  execCPUAffinity: v.optional(v.unknown()),
})

const hooks = list(
  v.looseObject({ path: absolute, args: texts, env: texts, timeout: v.optional(v.pipe(integer, v.minValue(1))) }),
)

const configSchema: v.GenericSchema<unknown, OciConfig> = v.looseObject({
  ociVersion: v.pipe(text, v.regex(/^1\.[0-9]+\.[0-9]+(-[0-9A-Za-z.+-]*)?(\+.*)?$/, 'must be a version 1')),
  process: v.optional(processSchema),
  root: v.looseObject({ path: text, readonly: v.optional(v.boolean()) }),
  hostname: v.optional(text),
  domainname: v.optional(text),
  mounts: list(
    v.looseObject({
      destination: text,
      type: v.optional(text),
      source: v.optional(text),
      options: texts,
      uidMappings: list(mapping),
      gidMappings: list(mapping),
    }),
  ),
  hooks: v.optional(v.looseObject(Object.fromEntries(HOOK_TIMES.map((time) => [time, hooks])))),
  annotations: map(v.string()),
  linux: v.optional(
    v.looseObject({
      namespaces: list(v.looseObject({ type: text, path: v.optional(text) })),
      uidMappings: list(mapping),
      gidMappings: list(mapping),
      timeOffsets: map(v.looseObject({ secs: v.optional(integer), nanosecs: v.optional(id) })),
      devices: list(
        v.looseObject({
          type: text,
          path: absolute,
          major: v.optional(integer),
          minor: v.optional(integer),
          fileMode: v.optional(amount),
          uid: v.optional(id),
          gid: v.optional(id),
        }),
      ),
      cgroupsPath: v.optional(text),
      resources: v.optional(
        v.looseObject({
          devices: list(
            v.looseObject({
              allow: v.boolean(),
              type: v.optional(text),
              major: v.optional(integer),
              minor: v.optional(integer),
              access: v.optional(text),
            }),
          ),
          memory: v.optional(
            v.looseObject({
              limit: v.optional(integer),
              reservation: v.optional(integer),
              swap: v.optional(integer),
              kernel: v.optional(integer),
              kernelTCP: v.optional(integer),
              swappiness: v.optional(amount),
              disableOOMKiller: v.optional(v.boolean()),
              useHierarchy: v.optional(v.boolean()),
            }),
          ),
          cpu: v.optional(
            v.looseObject({
              shares: v.optional(amount),
              quota: v.optional(integer),
              period: v.optional(amount),
              burst: v.optional(amount),
              realtimeRuntime: v.optional(integer),
              realtimePeriod: v.optional(amount),
              cpus: v.optional(text),
              mems: v.optional(text),
              idle: v.optional(integer),
            }),
          ),
          pids: v.optional(v.looseObject({ limit: v.optional(integer) })),
          unified: map(text),
          blockIO: anything,
          hugepageLimits: list(v.unknown()),
          network: anything,
          rdma: anything,
        }),
      ),
      rootfsPropagation: v.optional(text),
      seccomp: v.optional(
        v.looseObject({
          defaultAction: text,
          defaultErrnoRet: v.optional(id),
          architectures: texts,
          flags: texts,
          listenerPath: v.optional(text),
          listenerMetadata: v.optional(text),
          syscalls: list(
            v.looseObject({
              names: v.pipe(v.array(text), v.maxLength(MOST_ENTRIES)),
              action: text,
              errnoRet: v.optional(id),
              args: list(v.looseObject({ index: id, value: v.number(), valueTwo: v.optional(v.number()), op: text })),
            }),
          ),
        }),
      ),
      sysctl: map(text),
      maskedPaths: texts,
      readonlyPaths: texts,
      mountLabel: v.optional(text),
      intelRdt: v.optional(v.unknown()),
      personality: v.optional(v.looseObject({ domain: text, flags: texts })),
    }),
  ),
})

/** Reads `config.json`. @throws VmexitError `container-config`. */
export function readOciConfig(bytes: Uint8Array): OciConfig {
  return readDocument(bytes, configSchema, 'config.json')
}

/** Reads a `process` by itself, as `exec --process` gives it. @throws VmexitError `container-config`. */
export function readOciProcess(bytes: Uint8Array): OciProcess {
  return readDocument(bytes, processSchema, 'the process')
}

/** Reads a document of a form. @throws VmexitError `container-config`. */
export function readDocument<Document>(
  bytes: Uint8Array,
  schema: v.GenericSchema<unknown, Document>,
  what: string,
): Document {
  if (bytes.length > MOST_BYTES)
    containerError('config', `${what} has ${bytes.length} bytes`, `make it shorter than ${MOST_BYTES}`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return containerError('config', `${what} is no JSON (${(error as Error).message})`, 'have it written again')
  }
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const where = v.getDotPath(issue) ?? 'its top'
  return containerError('config', `${what} is wrong at ${where}: ${issue.message}`, 'see the OCI runtime specification')
}
