/** What accesses to emulated devices cost in exits: small guests that do one kind of access a hundred times, under VT-x. */
import { createPc, raw } from '@vmexit/vmexit'

/** A kind of access. */
export interface Access {
  readonly title: string
  /** Exits, and instructions that the VMM executed, for one of it. */
  readonly exits: number
  readonly emulated: number
  /** The reason of most of them. */
  readonly reason: string
}

const TIMES = 100

/** `mov ecx,100; again: BODY; dec ecx; jnz again; mov dx,0f4h; out dx,al`, in flat protected mode. */
const guestOf = (body: readonly number[]) =>
  Uint8Array.of(0xb9, TIMES, 0, 0, 0, ...body, 0x49, 0x75, 0x100 - body.length - 3, 0x66, 0xba, 0xf4, 0, 0xee, 0xf4)

// biome-ignore format: one line for one access
const accesses: readonly (readonly [title: string, body: readonly number[]])[] = [
  ['an instruction that is no access', [0x90]], // nop
  ['`IN` from a port', [0xe4, 0x61]], // in al,61h
  ['`OUT` to a port', [0xe6, 0x80]], // out 80h,al
  ['a register in memory is read', [0xa1, 0x20, 0, 0xe0, 0xfe]], // mov eax,[0fee00020h]
  ['a register in memory is written', [0xa3, 0x80, 0, 0xe0, 0xfe]], // mov [0fee00080h],eax
  ['512 bytes by `REP INSB`', [0x89, 0xcb, 0xb9, 0, 2, 0, 0, 0xbf, 0, 0, 0x20, 0, 0x66, 0xba, 0x61, 0, 0xf3, 0x6c, 0x89, 0xd9]],
]

export async function deviceAccesses(): Promise<readonly Access[]> {
  const rows: Access[] = []
  for (const [title, body] of accesses) {
    const loader = raw({ image: guestOf(body), address: 0x10_0000, mode: 'flat' })
    await using pc = await createPc({
      memory: '4 MiB',
      display: 'none',
      loader,
      technique: 'vtx',
      mmu: 'nested-paging',
    })
    const reasons: Record<string, number> = {}
    using _watch = pc.watchExits(({ reason }) => {
      reasons[reason] = (reasons[reason] ?? 0) + 1
    })
    const before = pc.counts['emulated'] ?? 0
    const { reason } = await pc.run({ idle: 'skip', onReset: 'stop', instructions: 1_000_000 })
    if (reason !== 'off') throw new Error(`${title}: ${reason}`)
    const exits = Object.entries(reasons).sort(([, a], [, b]) => b - a)
    const often = exits.filter(([, count]) => count >= TIMES)
    rows.push({
      title,
      exits: often.reduce((sum, [, count]) => sum + Math.floor(count / TIMES), 0),
      emulated: Math.floor(((pc.counts['emulated'] ?? 0) - before) / TIMES),
      reason: often[0]?.[0].replaceAll('-', ' ') ?? '–',
    })
  }
  return rows
}
