/**
 * The check of a composition by the compiler. It finds what `findProblems` finds at run time, and says it in the same
 * words, as types: a slot with a problem gets the message as its type, which no part is assignable to.
 */
import type { Capability, SystemCapability } from './capabilities.ts'
import type { Frame } from './frame.ts'
import type { Need, NeedKey, PartTypes, types } from './part.ts'
import type { Remedy } from './remedies.ts'

/** Stands for the machine below where there is none. */
export type NoHardware = undefined

/** What is composed: parts and lists of parts by slot. */
type Slots = object

/**
 * `parts` as they must be: the parts themselves where all is well, a message where it is not.
 *
 * @internal
 */
export type Checked<M extends Slots, F extends Frame, Hardware = NoHardware> = {
  [S in keyof M]: S extends F['order'][number]
    ? M[S] extends readonly unknown[]
      ? CheckedList<M[S], Context<M, F, Hardware>, PartsBefore<M, F['order'], S>>
      : Verdict<PartProblems<M[S], Context<M, F, Hardware>, PartsBefore<M, F['order'], S>> | SlotProblem<M[S], S, F>>
    : NoSlot<S, F>
}

/**
 * Every message in a {@link Checked}; never where all is well.
 *
 * @internal
 */
export type ProblemsOf<C extends object> = {
  [S in keyof C]: C[S] extends readonly unknown[] ? SaidIn<C[S]> : Said<C[S]>
}[keyof C]

/**
 * The capabilities that a composition has for certain.
 *
 * @internal
 */
export type GivenBy<M extends Slots> = { [S in keyof M]: GivenBySlot<M[S]> }[keyof M] & Capability

/** What the messages about one part depend on. */
interface Context<M extends Slots, F extends Frame, Hardware> {
  readonly all: PartsIn<M[keyof M]>
  readonly given: GivenBy<M> | SystemCapability
  readonly frame: F
  readonly hardware: Hardware
}
interface AnyContext {
  readonly all: unknown
  readonly given: unknown
  readonly frame: Frame
  readonly hardware: unknown
}

type Verdict<Problems> = [Problems] extends [never] ? unknown : Problems
type SaidIn<L extends readonly unknown[]> = { [I in keyof L]: Said<L[I]> }[number]
type Said<X> = X extends string ? X : never

// ── what parts say of themselves; a union of parts distributes ──

type AnyTypes = PartTypes<string, unknown, unknown, object, unknown, object>
type TypesOf<P> = P extends { readonly [types]: infer T extends AnyTypes } ? T : never
type NameOf<P> = TypesOf<P>['name']
/** A part of which nothing is known at compile time: it gives anything and is checked at run time. */
type IsWide<P> = string extends NameOf<P> ? true : false
type MayGive<P> = P extends unknown ? (IsWide<P> extends true ? Capability : keyof TypesOf<P>['gives']) : never
/** What every member of a union gives. */
type SurelyGives<P> = KeysOfNever<{ [K in MayGive<P>]: P extends unknown ? (K extends MayGive<P> ? never : K) : never }>
type KeysOfNever<R> = { [K in keyof R]: [R[K]] extends [never] ? K : never }[keyof R]

// ── slots ──

type PartsIn<X> = X extends readonly unknown[] ? X[number] : X
type GivenBySlot<X> = [X] extends [readonly unknown[]] ? SurelyListed<X> : SurelyGives<X>
/** A list whose length is not known may hold anything, as a wide part does. */
type Listed<L> = L extends readonly unknown[]
  ? number extends L['length']
    ? Capability
    : { [I in keyof L]: SurelyGives<L[I]> }[number]
  : never
/** What every list of a union holds. */
type SurelyListed<L> = KeysOfNever<{
  [K in Listed<L> & Capability]: L extends unknown ? (K extends Listed<L> ? never : K) : never
}>
type PartsBefore<M, Order extends readonly unknown[], S, Before = never> = Order extends readonly [infer H, ...infer T]
  ? H extends S
    ? Before
    : PartsBefore<M, T, S, Before | (H extends keyof M ? PartsIn<M[H]> : never)>
  : Before
type CheckedList<D extends readonly unknown[], C extends AnyContext, Before> = number extends D['length']
  ? readonly unknown[]
  : D extends readonly [infer H, ...infer T]
    ? readonly [Verdict<PartProblems<H, C, Before>>, ...CheckedList<T, C, Before | H>]
    : readonly []

// ── the messages; findProblems in problems.ts says the same ──

type PartProblems<P, C extends AnyContext, Before> = P extends unknown
  ? IsWide<P> extends true
    ? never
    :
        | MissingNeed<P, TypesOf<P>['needs'], C['given']>
        | MissingHardware<P, TypesOf<P>['hardware'], C['hardware']>
        | GivenTwice<P, keyof TypesOf<P>['gives'], Before, C['frame']['what']>
        | Conflict<P, TypesOf<P>['conflicts'], C['all']>
  : never

type RemedyOf<N> = N extends Need<Capability, infer R> ? R : N extends string ? Remedy<N> : never

type MissingNeed<P, N, Given> = N extends unknown
  ? NeedKey<N> extends Given
    ? never
    : `✗ ${NameOf<P>} needs '${NeedKey<N> & string}': ${RemedyOf<N>}`
  : never

type MissingHardware<P, N, Hardware> = N extends unknown
  ? [Hardware] extends [NoHardware]
    ? `✗ ${NameOf<P>} stands on a machine: use it in createVm(machine, …)`
    : NeedKey<N> extends Hardware
      ? never
      : `✗ ${NameOf<P>} needs '${NeedKey<N> & string}' of the machine: ${RemedyOf<N>}`
  : never

type GivenTwice<P, K, Before, What extends string> = K extends SystemCapability
  ? `✗ ${NameOf<P>} gives '${K}', which every ${What} has: leave it out`
  : K extends string
    ? `✗ ${NameOf<P>} gives '${K}', which ${Giver<Before, K>} gives too: keep one of them`
    : never

type Conflict<P, N, All> =
  N extends Need<infer K, infer R> ? `✗ ${NameOf<P>} conflicts with '${K}' of ${Giver<All, K>}: ${R}` : never

/** The names of the parts that give `K`; never, which leaves no message, if none does. */
type Giver<P, K> = P extends unknown
  ? IsWide<P> extends true
    ? never
    : K extends MayGive<P>
      ? NameOf<P>
      : never
  : never

type SlotProblem<P, S, F extends Frame> = S extends keyof F['takes']
  ? P extends unknown
    ? F['takes'][S] extends MayGive<P>
      ? never
      : `✗ ${NameOf<P>} does not give '${F['takes'][S] & string}': the slot ${S & string} takes a part that does`
    : never
  : never

type NoSlot<S, F extends Frame> = `✗ a ${F['what']} has no slot '${S & string}': its slots are ${F['slots']}`
