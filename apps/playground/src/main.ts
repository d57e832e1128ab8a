/** `pnpm playground`: builds the page, serves it on this machine, and stops by Ctrl-C. */
import { isVmexitError } from '@vmexit/core'
import { HELP, type Options, parseOptions } from './options.ts'
import { buildPage, writePage } from './server/build.ts'
import { guestsIn } from './server/guests.ts'
import { listen } from './server/server.ts'

async function main({ port, guests: folder, build, connect, help }: Options): Promise<void> {
  if (help) {
    process.stdout.write(HELP)
    return
  }
  if (build !== undefined) {
    writePage(await buildPage(), build)
    process.stdout.write(`The page is in ${build}.\n`)
    return
  }
  const guests = () => guestsIn(folder)
  const { offer } = guests()
  const server = await listen({ port, assets: await buildPage(), guests, connect })
  process.stdout.write(`The playground is at ${server.url} until Ctrl-C.\n`)
  if (offer.guests.length === 0) {
    process.stdout.write(
      `There are no guests in ${offer.folder}: fetch them with \`${offer.remedy}\`, and reload the page.\n`,
    )
  }
  const stop = () => void server[Symbol.asyncDispose]()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

try {
  await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (!isVmexitError(error)) throw error
  process.stderr.write(`playground: ${error.message}\n`)
  process.exitCode = error.code === 'playground-option' ? 2 : 1
}
