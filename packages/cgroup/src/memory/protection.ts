/**
 * How much of a group's memory is protected from reclaim ("Control Group v2", `memory.min` and `memory.low`): what it
 * uses up to its own setting, and where siblings claim more together than their parent has, each the part of the parent's
 * protection that corresponds to its claim.
 */
/** A group with memory. Amounts are bytes. */
export interface Protected {
  readonly parent: Protected | null
  readonly children: Iterable<Protected>
  readonly usage: number
  readonly min: number
  readonly low: number
}

/** Bytes of `account` that reclaim on behalf of `domain` may take. The domain itself is never protected from itself. */
export function unprotectedBytes(account: Protected, protection: 'low' | 'min', domain: Protected): number {
  return Math.max(0, account.usage - effective(account, protection, domain))
}

function effective(account: Protected, protection: 'low' | 'min', domain: Protected): number {
  const { parent } = account
  if (account === domain || parent === null) return 0
  const own = claim(account, protection)
  if (parent === domain) return own
  const available = effective(parent, protection, domain)
  let claimed = 0
  for (const sibling of parent.children) claimed += claim(sibling, protection)
  return claimed > available ? (own * available) / claimed : own
}

const claim = (account: Protected, protection: 'low' | 'min'): number => Math.min(account.usage, account[protection])
