/** What the instruction was after which two PCs differ, and why they do, as far as that can be told. */
import { type Cpu, Layout, Seg } from '@vmexit/x86'
import { createDecoder, createInsn, disassemble, failureName, type Row } from '@vmexit/x86-decoder'
import type { Divergence, DivergenceReason } from './equivalence.ts'
import { registersOf } from './guest-state.ts'
import type { Side } from './side.ts'
import type { Apart, Sides } from './sides.ts'

const LONGEST = 15
const SPACE = 2 ** 32

/** What the guest is about to execute. */
interface Next {
  readonly cs: number
  readonly ip: number
  readonly linear: number
  readonly bytes: readonly number[]
  readonly text: string
  readonly row: Row | undefined
  readonly interrupted: boolean
}

/** Describes the next instruction of both PCs, which are equal, then executes it with `step` and describes what differs. */
export async function explain(sides: Sides, step: () => Promise<Apart>): Promise<Divergence> {
  const { native } = sides
  const after = native.position
  const { seconds } = native
  const { row, interrupted, ...next } = nextOf(native)
  const before = registersOf(native.pc)
  const apart = await step()
  const { registers, differences, memory, devices } = apart
  return {
    after,
    seconds,
    ...next,
    before,
    registers,
    differences,
    memory: memory.words,
    memoryWords: memory.count,
    devices,
    reason: native.position === after ? START : reasonOf(apart, { row, interrupted, sides }),
  }
}

const START: DivergenceReason = { kind: 'start', words: 'the two differ before the first instruction' }

function nextOf({ pc, isInterrupted }: Side): Next {
  const cpu = pc.inspectCpu()
  const { state } = cpu
  const linear = (((state.segBase(Seg.cs) + state.ip) % SPACE) + SPACE) % SPACE
  const memory = pc.system.find('guestMemory')!
  const code: number[] = []
  for (let n = 0; n < LONGEST; n++) {
    const physical = cpu.paging.peek((linear + n) % SPACE, 0)
    if (physical < 0 || memory.readPage(Math.floor(physical / 4096)) === 0) break
    code.push(memory.read8(physical))
  }
  const insn = createInsn()
  const decoder = createDecoder({ features: cpu.model.features })
  const length = decoder.decode(Uint8Array.from(code), 0, code.length, state.codeBits, insn)
  const where = { cs: state.selector(Seg.cs), ip: state.ip >>> 0, linear, interrupted: isInterrupted }
  if (length <= 0) return { ...where, bytes: code.slice(0, 1), text: `(${failureName(length)})`, row: undefined }
  return { ...where, bytes: code.slice(0, length), text: disassemble(insn, state.ip >>> 0), row: insn.row }
}

interface Facts {
  readonly row: Row | undefined
  readonly interrupted: boolean
  readonly sides: Sides
}

const IDENTIFIES: readonly string[] = ['cpuid', 'rdmsr']
const TELLS_TIME: readonly string[] = ['rdtsc', 'rdpmc']

function reasonOf(apart: Apart, { row, interrupted, sides }: Facts): DivergenceReason {
  const { stops, differences, devices, memory } = apart
  if (stops !== undefined) {
    return { kind: 'stop', words: `the bare machine stops by ${stops.native}, the VM by ${stops.vm}` }
  }
  const moved = differences.some(({ name }) => name === 'eip' || name === 'cs.selector')
  if (moved) {
    const [native, vm] = [entered(sides.native.pc.inspectCpu()), entered(sides.vm.pc.inspectCpu())]
    if (native !== vm) {
      const words = `the bare machine has ${delivered(native)}, the VM ${delivered(vm)}`
      return { kind: 'exception', words: `${words}${interrupted ? '; an interrupt waited' : ''}` }
    }
  }
  if (row === undefined) return UNKNOWN
  const op = `${row.op}`
  if (IDENTIFIES.includes(op)) {
    return { kind: 'identification', words: `${row.mnemonic} answers differently: the guest can tell that it is a VM` }
  }
  if (TELLS_TIME.includes(op)) return { kind: 'time', words: `${row.mnemonic} tells another time` }
  if (row.privilege === 'sensitive') {
    const words = `${row.mnemonic} reads or changes privileged state without a trap, and finds the VMM's instead of the guest's`
    return { kind: 'sensitive-instruction', words }
  }
  if (op === 'in' || op === 'ins') return { kind: 'device-read', words: 'the device at this port answers differently' }
  if (devices.length > 0) return { kind: 'device-state', words: `the instruction leaves ${devices[0]!.name} different` }
  if (memory.count > 0 && differences.length === 0) {
    return { kind: 'unknown', words: 'it stores something else, or elsewhere' }
  }
  return UNKNOWN
}

const UNKNOWN: DivergenceReason = { kind: 'unknown', words: 'from equal states it leads to different ones' }

const delivered = (vector: number | undefined): string =>
  vector === undefined ? 'delivered nothing' : `delivered vector ${vector}`

/** The vector at whose handler, or an instruction behind its beginning, the CPU is; undefined if at none. */
function entered(cpu: Cpu): number | undefined {
  const { state, paging, memory } = cpu
  if (!state.protectedMode) return undefined
  const handlers: (number | undefined)[] = []
  const base = state.getNumber(Layout.idtBase)
  for (let vector = 0; vector < 256; vector++) {
    const physical = paging.peek((base + vector * 8 + SPACE) % SPACE, 0)
    if (physical < 0) break
    handlers.push((memory.read16(physical) | (memory.read16(physical + 6) << 16)) >>> 0)
  }
  const ip = state.ip >>> 0
  const near = handlers.map((handler, vector) => ({ vector, distance: ip - handler! }))
  const found = near.filter(({ distance }) => distance > 0 && distance <= LONGEST)
  return found.sort((a, b) => a.distance - b.distance)[0]?.vector
}
