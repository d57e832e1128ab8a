/**
 * The check of equivalence (Popek and Goldberg 1974): the guest under a technique beside the same guest on the bare machine.
 *
 * Both retire the same instructions, and virtual time is counted in them: run for the same number of instructions, both have seen the
 * same timers. So nothing is replayed. A technique that cannot stop at an exact instruction of its guest would have to lead, and write down
 * at which of the guest's instructions each input came, for the bare machine to follow.
 */
import { createPc } from '../compose.ts'
import type { PcOptions } from '../options.ts'
import type { Pc } from '../pc.ts'
import type { PcStopReason } from '../stop.ts'
import type { VmTechnique } from '../techniques.ts'
import type { Divergence, DivergenceReason, Equivalence, StaleStretch } from './equivalence.ts'
import { explain } from './explain.ts'
import { deviceDifferences, differencesOf, type GuestRegisters, registersOf, timeOf } from './guest-state.ts'
import { compareMemories } from './memories.ts'
import { Side, type SideState } from './side.ts'
import type { Apart, Sides } from './sides.ts'

/** What a check is doing. */
export interface CheckProgress {
  /** `compare`: on the way to the next checkpoint. `locate`: searching the instruction. */
  readonly phase: 'compare' | 'locate'
  /** Equal up to so many instructions. */
  readonly instructions: number
  /** While it searches: different after so many. */
  readonly different?: number | undefined
}

/** How far and how closely a check looks. */
export interface CheckOptions {
  /** Instructions between two checkpoints; 10,000,000 unless stated. Any number finds the same first difference, if it lasts until a checkpoint. */
  readonly every?: number | undefined
  /** At most so many instructions; to the guest's end unless stated. */
  readonly instructions?: number | undefined
  /** Stops the check, which then returns what is known, with `stop: 'aborted'`. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined
}

/** A VM-PC as its options, or options made anew for each of the two PCs: where they hold something with a state, such as a disk to write to. */
export type CheckedPc = PcOptions & VmTechnique

/** Saved states are large: while searching, one that would save fewer instructions than this is not made. */
const worthSaving = 200_000

/**
 * Runs the guest of `options` under its technique and, with all other options the same, on the bare machine, and compares what the guest can
 * see at checkpoints. Where they come apart, searches for the first instruction after which they are. Throws what `createPc` throws.
 */
export async function checkEquivalence(
  options: CheckedPc | (() => CheckedPc | Promise<CheckedPc>),
  check: CheckOptions = {},
): Promise<Equivalence> {
  const make = async (): Promise<CheckedPc> => (typeof options === 'function' ? await options() : options)
  const { display } = await make()
  // Under a technique that has no display the bare machine is to have none either.
  const alike = { display: display ?? 'none' } as const
  await using vm = await createPc({ ...(await make()), ...alike })
  const { technique: _, mmu: __, ...rest } = await make()
  await using native = await createPc({ ...rest, ...alike } as PcOptions)
  return await comparePcs({ native, vm }, check)
}

/** The same of two PCs that were made for it, and are alike but for the technique. */
export async function comparePcs({ native, vm }: { native: Pc; vm: Pc }, check: CheckOptions): Promise<Equivalence> {
  return await new Check({ native: new Side(native), vm: new Side(vm) }, check).run()
}

const FORGOTTEN: DivergenceReason = {
  kind: 'stale-translation',
  words:
    'the VM uses a translation that the tables no longer have: a VMM that has forgotten to invalidate it, or a guest that has',
}

/** Did the VM go by an old translation, other than to a page fault too many, which a guest takes for what it is? */
function isForgotten({ registers, memory }: Apart, before: GuestRegisters, emptied: GuestRegisters): boolean {
  const isApart = (one: GuestRegisters): boolean => differencesOf(one, emptied).length > 0
  const stale = isApart(registers.vm) || (memory.count > 0 && !isApart(registers.native))
  return stale && registers.vm['cr2'] === before['cr2']
}

interface Saved {
  readonly at: number
  readonly native: SideState
  readonly vm: SideState
}

class Check {
  readonly #sides: Sides
  readonly #options: CheckOptions
  #tableBits = 0
  #boundaries = 0
  #checkpoints = 0
  readonly #stale: StaleStretch[] = []
  #equal = 0
  /** How the last run of both ended. */
  #stop: PcStopReason = 'limit'
  #seconds = 0

  constructor(sides: Sides, options: CheckOptions) {
    this.#sides = sides
    this.#options = options
  }

  async run(): Promise<Equivalence> {
    const { every = 10_000_000, instructions = Number.POSITIVE_INFINITY, signal, onProgress } = this.#options
    if ((await this.#compare()) !== undefined) return this.#result('diverged', await this.#explainStart())
    let saved = this.#save(0)
    for (;;) {
      const target = Math.min(saved.at + every, instructions)
      let { stop, apart } = await this.#advance(target)
      if (stop === 'aborted') return this.#result('aborted')
      this.#checkpoints++
      if (apart !== undefined) {
        const divergence = await this.#locate(saved, target)
        if (divergence === 'aborted') return this.#result('aborted')
        if (divergence !== undefined) return this.#result('diverged', divergence)
        stop = this.#stop
      }
      this.#equal = this.#sides.native.position
      this.#seconds = this.#sides.native.seconds
      onProgress?.({ phase: 'compare', instructions: this.#equal })
      if (stop !== 'limit' || this.#equal >= instructions) return this.#result(stop)
      if (signal?.aborted) return this.#result('aborted')
      saved = this.#save(this.#equal)
    }
  }

  /** Runs both to `target`, and says how they differ there. */
  async #advance(target: number): Promise<{ stop: PcStopReason; apart: Apart | undefined }> {
    const { native, vm } = this.#sides
    const { signal } = this.#options
    const stop = await vm.runTo(target, signal)
    const bare = stop === 'aborted' ? stop : await native.runTo(target, signal)
    if (stop === 'aborted' || bare === 'aborted') return { stop: 'aborted', apart: undefined }
    this.#stop = stop
    if (stop !== bare) return { stop, apart: { ...(await this.#differences()), stops: { native: bare, vm: stop } } }
    return { stop, apart: await this.#compare() }
  }

  /** How the two differ, if they do: where only an interrupt is on its way, an instruction later. */
  async #compare(): Promise<Apart | undefined> {
    const { native, vm } = this.#sides
    for (let patience = 8; ; patience--) {
      const apart = this.#differences()
      if (apart.isEqual) return undefined
      if (native.isInterrupted === vm.isInterrupted || patience === 0) return apart
      const stops = [await native.runTo(native.position + 1), await vm.runTo(vm.position + 1)]
      if (stops.some((stop) => stop !== 'limit')) return apart
      this.#boundaries++
    }
  }

  #differences(): Apart {
    const { native, vm } = this.#sides
    const registers = { native: registersOf(native.pc), vm: registersOf(vm.pc) }
    const memories = [native.pc.system.find('guestMemory')!, vm.pc.system.find('guestMemory')!] as const
    const memory = compareMemories(...memories)
    this.#tableBits += memory.tableBits
    const differences = [
      ...differencesOf(registers.native, registers.vm),
      ...differencesOf(timeOf(native.pc), timeOf(vm.pc)),
      ...differencesOf({ console: native.printed }, { console: vm.printed }),
    ]
    const devices = deviceDifferences(native.pc, vm.pc)
    const isEqual = differences.length === 0 && memory.count === 0 && devices.length === 0
    return { isEqual, registers, differences, memory, devices }
  }

  /**
   * From states that were equal, with empty TLBs, to the first instruction after which the two differ. Undefined if they are equal at
   * `different` after all: then both are there.
   */
  async #locate(from: Saved, different: number): Promise<Divergence | 'aborted' | undefined> {
    const { signal, onProgress } = this.#options
    let low = from
    let equal = from.at
    let high = different
    let lastApart: Apart | undefined
    /** Goes to an instruction from the last state that was saved. */
    const differsAt = async (target: number): Promise<boolean | 'aborted'> => {
      this.#restore(low)
      const { stop, apart } = await this.#advance(target)
      if (apart !== undefined) lastApart = apart
      return stop === 'aborted' || signal?.aborted ? 'aborted' : apart !== undefined
    }
    /** By empty TLBs alone they agree: on from there. */
    const wasStale = async (): Promise<Divergence | 'aborted' | undefined> => {
      if (high - low.at === 1 && lastApart !== undefined) {
        const emptied = registersOf(this.#sides.native.pc)
        this.#restore(low)
        if (isForgotten(lastApart, registersOf(this.#sides.native.pc), emptied)) {
          const found = lastApart
          this.#equal = low.at
          this.#seconds = this.#sides.native.seconds
          const divergence = await explain(this.#sides, async () => found)
          return { ...divergence, reason: FORGOTTEN }
        }
        await this.#advance(high)
      }
      this.#stale.push({ from: low.at, to: high })
      const rest = high === different ? undefined : await this.#advance(different)
      if (rest === undefined || rest.apart === undefined) return rest?.stop === 'aborted' ? 'aborted' : undefined
      return await this.#locate(low, different)
    }
    const repeated = await differsAt(high)
    if (repeated === 'aborted') return repeated
    if (!repeated) return await wasStale()
    while (high - equal > 1) {
      onProgress?.({ phase: 'locate', instructions: equal, different: high })
      const middle = Math.floor((equal + high) / 2)
      const differs = await differsAt(middle)
      if (differs === 'aborted') return differs
      if (differs) {
        high = middle
        continue
      }
      equal = middle
      if (high - equal > 1 && equal - low.at < worthSaving) continue
      low = this.#save(this.#sides.native.position)
      // Is the difference still to come, now that the TLBs are empty here?
      const still = await differsAt(high)
      if (still === 'aborted') return still
      if (!still) return await wasStale()
    }
    this.#equal = equal
    if (low.at !== equal) {
      this.#restore(low)
      await this.#advance(equal)
      low = this.#save(equal)
      if (!(await differsAt(high))) return await wasStale()
    }
    this.#restore(low)
    this.#seconds = this.#sides.native.seconds
    return await explain(this.#sides, async () => {
      const { apart } = await this.#advance(high)
      return apart ?? this.#differences()
    })
  }

  /** They are not even equal before the first instruction. */
  async #explainStart(): Promise<Divergence> {
    return await explain(this.#sides, async () => this.#differences())
  }

  #save(at: number): Saved {
    return { at, native: this.#sides.native.save(), vm: this.#sides.vm.save() }
  }
  #restore({ native, vm }: Saved): void {
    this.#sides.native.restore(native)
    this.#sides.vm.restore(vm)
  }

  #result(stop: Equivalence['stop'], divergence?: Divergence): Equivalence {
    const { technique, mmu } = this.#sides.vm.pc
    return {
      equal: divergence === undefined,
      technique,
      mmu,
      stop,
      instructions: this.#equal,
      seconds: this.#seconds,
      checkpoints: this.#checkpoints,
      tolerated: {
        tableBits: this.#tableBits,
        staleTranslations: this.#stale,
        interruptBoundaries: this.#boundaries,
      },
      divergence,
    }
  }
}
