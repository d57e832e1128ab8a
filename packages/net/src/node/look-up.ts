/// <reference types="node" />
/** Names by the host's resolver. */
import { lookup } from 'node:dns/promises'
import type { AllowList } from '../gateway/allow-list.ts'
import { type Ipv4, parseIpv4 } from '../ip/address.ts'

/** The addresses that the host's resolver has for a name, which its rules then know; undefined where there is none of this name. */
export async function lookUp(name: string, allowed: AllowList): Promise<readonly Ipv4[] | undefined> {
  try {
    const found = await lookup(name, { family: 4, all: true })
    const addresses = found.flatMap(({ address }) => parseIpv4(address) ?? [])
    allowed.resolved(name, addresses)
    return addresses
  } catch {
    return undefined
  }
}
