/** Parts: what machines and VMs are composed of. */
import type { State } from '../state.ts'
import type { Capabilities, Capability } from './capabilities.ts'
import { remedyFor } from './remedies.ts'

/** A need with the remedy to name where nobody fills it. */
export interface Need<K extends Capability = Capability, R extends string = string> {
  readonly capability: K
  readonly remedy: R
}

/** A need as it may be written: a capability's name, or a {@link Need} that says the remedy. */
export type NeedLike = Capability | Need

/**
 * Says what to do where a capability is missing: `need('vmx', 'use x86({ vmx: true })')`. The words end up in the
 * compiler's error and in the thrown one. A package that declares a capability exports this for those who need it.
 */
export function need<const K extends Capability, const R extends string>(capability: K, remedy: R): Need<K, R> {
  return { capability, remedy }
}

/** The capability that a need names. */
export type NeedKey<N> = N extends Need<infer K> ? K : N

/** What `build` is given: exactly the capabilities that were named. */
export type Services<N> = { readonly [K in NeedKey<N> & Capability]: Capabilities[K] }

/**
 * What a machine does with the object that a part's `build` returns, beside handing it out. All of it is optional; the
 * object may have anything else.
 */
export interface PartApi {
  /** Any object has it; without one obligatory member TypeScript would refuse objects that have none of the others. */
  toString(): string
  /** The machine is reset. */
  reset?(): void
  /** The machine is saved; see `Stateful`. */
  save?(): State
  /** The machine is restored. */
  restore?(state: State): void
  /** The machine is disposed: give back what the host lent (sockets, files). */
  [Symbol.dispose]?(): void
  /** As `Symbol.dispose`, for what takes time. */
  [Symbol.asyncDispose]?(): PromiseLike<void>
}

/** What a part is told about itself. */
export interface PartSelf {
  /** Its name in this machine: the part's own, or `serial#2` for the second one called `serial`. */
  readonly name: string
}

/**
 * What the type of a part says, for annotations: `Part<{ name: 'vtx'; needs: 'memory'; gives: 'execution'; api: Vtx }>`.
 * What is left out is nothing.
 */
export interface PartSpec {
  readonly name: string
  /** Capabilities of the same machine or VM. */
  readonly needs?: NeedLike
  /** Capabilities of the machine below, for the parts of a VM. */
  readonly hardware?: NeedLike
  readonly gives?: Capability
  /** Capabilities that must not be there beside this part. */
  readonly conflicts?: Need
  /** What `build` returns. */
  readonly api?: object
}

/** A part: a name, what it needs, what it gives, and how to build it. Made by {@link definePart}. */
export type Part<S extends PartSpec = AnySpec> = PartOf<
  S['name'],
  Field<S, 'needs', never>,
  Field<S, 'hardware', never>,
  Pick<Capabilities, Field<S, 'gives', never>>,
  Field<S, 'conflicts', never>,
  Field<S, 'api', object>
>

/** Of a part nothing is known at compile time; it is checked when it is composed. */
export interface AnySpec {
  readonly name: string
  readonly needs: NeedLike
  readonly hardware: NeedLike
  readonly conflicts: Need
}

/** @internal */
export type Field<S, K extends keyof PartSpec, Absent> = S extends {
  readonly [F in K]: infer V extends NonNullable<PartSpec[K]>
}
  ? V
  : Absent

/** {@link Part} with everything spelled out; `Gives` is the record of the capabilities. */
export interface PartOf<
  Name extends string,
  Needs extends NeedLike,
  Hardware extends NeedLike,
  Gives extends object,
  Conflicts extends Need,
  Api extends object,
> {
  readonly name: Name
  readonly needs: readonly Need[]
  readonly hardware: readonly Need[]
  readonly gives: readonly Capability[]
  readonly conflicts: readonly Need[]
  /** For whoever composes; see {@link PartDefinition.build}. */
  readonly build: (services: never, hardware: never, self: PartSelf) => unknown
  /** Carries the types; nothing is there at run time. */
  readonly [types]: PartTypes<Name, Needs, Hardware, Gives, Conflicts, Api>
}

/** The key under which a part's type carries what it says. */
export declare const types: unique symbol

/** What a part's type carries. */
export interface PartTypes<Name, Needs, Hardware, Gives, Conflicts, Api> {
  readonly name: Name
  readonly needs: Needs
  readonly hardware: Hardware
  readonly gives: Gives
  readonly conflicts: Conflicts
  readonly api: Api
}

/** The object that a part's `build` returns: what `machine.of(part)` gives. */
export type ApiOf<P extends Part> = P[typeof types]['api']

/** What {@link definePart} takes. */
export interface PartDefinition<Name, Needs, Hardware, Gives, Conflicts, Api> {
  /** In the field's own words, as users will read it in errors: `trap-and-emulate`. */
  readonly name: Name
  readonly needs?: readonly Needs[]
  /** For parts of a VM: what they need of the machine it runs on. */
  readonly hardware?: readonly Hardware[]
  readonly gives?: readonly Gives[]
  /** What must not be there, with the remedy: `need('mmu', 'leave mmu out')`. */
  readonly conflicts?: readonly Conflicts[]
  /**
   * Builds the part for one machine or VM, after everything it needs. Returns its API, with a property for each
   * capability that it gives. Wiring only: nothing runs yet.
   */
  build(services: Services<Needs>, hardware: Services<Hardware>, self: PartSelf): Api | Promise<Api>
}

/** Defines a part. It can be composed any number of times; each machine or VM builds its own. */
export function definePart<
  const Name extends string,
  Api extends object & PartApi & Pick<Capabilities, Gives>,
  const Needs extends NeedLike = never,
  const Hardware extends NeedLike = never,
  const Gives extends Capability = never,
  const Conflicts extends Need = never,
>(
  definition: PartDefinition<Name, Needs, Hardware, Gives, Conflicts, Api>,
): PartOf<Name, Needs, Hardware, Pick<Capabilities, Gives>, Conflicts, Api> {
  const { name, needs = [], hardware = [], gives = [], conflicts = [] } = definition
  const build = definition.build.bind(definition)
  const part = { name, needs: needs.map(withRemedy), hardware: hardware.map(withRemedy), gives, conflicts, build }
  return part as typeof part & { readonly [types]: never }
}

function withRemedy(need: NeedLike): Need {
  return typeof need === 'string' ? { capability: need, remedy: remedyFor(need) } : need
}
