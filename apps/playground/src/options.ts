/** The command line. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { VmexitError } from '@vmexit/core'

export interface Options {
  /** 0 for any that is free. */
  readonly port: number
  /** The folder that `vmexit guests` fills; undefined for the usual one. */
  readonly guests: string | undefined
  /** Where the page is to be written instead of being served. */
  readonly build: string | undefined
  /** Servers that containers of the page may reach, if it lets them. */
  readonly connect: readonly string[]
  readonly help: boolean
}

export const HELP = `Serves a web page on which the simulated PC boots Debian's kernel to a shell, in this machine's browser.

  pnpm playground                    builds the page, serves it and prints its address; Ctrl-C stops
  pnpm playground --port 8080        at another port than 8686; 0 for any that is free
  pnpm playground --guests FOLDER    with the guests in FOLDER, as \`vmexit guests --directory FOLDER\` fills it
  pnpm playground --connect SERVER   lets its containers reach https://SERVER, or http://…, as far as the page allows it; may be repeated
  pnpm playground --build FOLDER     writes the page into FOLDER: any server of files serves it, from any address
  pnpm playground --help

Only this machine can reach it. Guests are fetched once: npx -y pnpm@12 vmexit guests linux-686
`

/** @throws VmexitError `playground-option` for what the command line does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { port, guests, build, connect, help } = parse(args)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) {
    throw refuse(`'${port}' is no port`, 'give a number from 0 to 65535')
  }
  const servers = connect.map((server) => (server.includes('://') ? server : `https://${server}`))
  const wrong = servers.find((server) => !/^https?:\/\/(\*\.)?[\w.-]+(:\d{1,5})?$/.test(server))
  if (wrong !== undefined) throw refuse(`'${wrong}' is no server`, 'name one as in https://deb.debian.org')
  return { port: Number(port), connect: servers, guests: pathOf(guests), build: pathOf(build), help }
}

const pathOf = (folder: string | undefined) => (folder === undefined ? undefined : resolve(folder))

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '8686' },
        guests: { type: 'string' },
        build: { type: 'string' },
        connect: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw refuse((cause as Error).message.split('. ')[0]!, 'see --help', cause)
  }
}

function refuse(problem: string, remedy: string, cause?: unknown): VmexitError {
  return new VmexitError('playground-option', { problem, remedy, cause })
}
