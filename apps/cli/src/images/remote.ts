/** `vmexit pull` and `push`. */
import { text } from 'node:stream/consumers'
import { familiarName, parsePlatform, parseReference, Registry } from '@vmexit/image'
import { usage } from './input.ts'
import { interruptible } from './interruptible.ts'
import { openImages } from './store.ts'

export interface RemoteFlags {
  readonly platform?: string
  readonly quiet?: true
  readonly plainHttp?: true
  readonly user?: string
  readonly passwordStdin?: true
}

/** `vmexit pull`. */
export async function pull(name: string, flags: RemoteFlags): Promise<void> {
  const registry = await registryFor(name, flags)
  await interruptible(async (options) => {
    const { platform, quiet } = flags
    const choice = platform === undefined ? {} : { platform: parsePlatform(platform) }
    const image = await openImages().pull(name, { ...options, ...choice, registry })
    if (!quiet) process.stdout.write(`Digest: ${image.descriptor.digest}\n`)
    process.stdout.write(`${familiarName(parseReference(name))}\n`)
  })
}

/** `vmexit push`. */
export async function push(name: string, flags: RemoteFlags): Promise<void> {
  const registry = await registryFor(name, flags)
  await interruptible(async (options) => {
    const digest = await openImages().push(name, { ...options, registry })
    if (!flags.quiet) process.stdout.write(`Digest: ${digest}\n`)
    process.stdout.write(`${familiarName(parseReference(name))}\n`)
  })
}

async function registryFor(name: string, { plainHttp, user, passwordStdin }: RemoteFlags): Promise<Registry> {
  if ((user === undefined) !== (passwordStdin === undefined))
    throw usage('a user has a password, and a password a user', 'give both: --user NAME --password-stdin')
  const password = passwordStdin ? (await text(process.stdin)).replace(/\r?\n$/, '') : ''
  const own = parseReference(name).registry
  return new Registry({
    fetch,
    ...(plainHttp ? { plainHttp: [own] } : {}),
    credentials: (registry) => (user !== undefined && registry === own ? { username: user, password } : undefined),
  })
}
