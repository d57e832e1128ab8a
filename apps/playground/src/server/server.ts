/** The server: the page's files, the guests' files and their list, to this machine only. */
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { VmexitError } from '@vmexit/core'
import type { Assets } from './build.ts'
import type { ServedGuests } from './guests.ts'
import { policyFor } from './policy.ts'

/** What is served, and where. */
export interface ServerOptions {
  /** 0 for any that is free. */
  readonly port: number
  readonly assets: Assets
  /** Asked at each request, so that guests which are fetched meanwhile are there. */
  readonly guests: () => ServedGuests
  /** Servers that the page may fetch from, too; none unless stated. */
  readonly connect?: readonly string[]
}

/** A server that listens. Disposing it ends it, and what it is just sending. */
export interface Server extends AsyncDisposable {
  readonly url: string
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.gz': 'application/gzip',
}

const typeOf = (path: string): string => types[extname(path)] ?? 'application/octet-stream'

/** Throws a {@link VmexitError} `playground-port` where the port cannot be had. */
export async function listen({ port, assets, guests, connect = [] }: ServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', policyFor(connect))
    answer(request, response, assets, guests).catch((error: Error) => {
      // The other side has gone, or a file has: what was begun cannot be ended well.
      if (response.headersSent) response.destroy()
      else plain(response, 500, error.message)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(portError(port, cause)))
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function portError(port: number, cause: NodeJS.ErrnoException): VmexitError {
  return new VmexitError('playground-port', {
    problem: cause.code === 'EADDRINUSE' ? `port ${port} is in use` : `port ${port} cannot be had (${cause.message})`,
    remedy: 'name another with --port, or any that is free with --port 0',
    cause,
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  assets: Assets,
  guests: () => ServedGuests,
): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cache-control', 'no-cache')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return plain(response, 405, 'This server answers GET and HEAD.')
  }
  const path = (request.url ?? '/').replace(/[?#].*$/, '').slice(1) || 'index.html'
  const asset = assets.get(path)
  if (asset !== undefined) return send(response, typeOf(path), asset)
  if (path === 'guests.json') return send(response, typeOf(path), Buffer.from(JSON.stringify(guests().offer)))
  const file = path.startsWith('guests/') ? guests().paths.get(path) : undefined
  if (file === undefined) return plain(response, 404, `There is no ${path} here.`)
  await sendFile(request, response, file)
}

function send(response: ServerResponse, type: string, bytes: Uint8Array): void {
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length })
  response.end(bytes)
}

function plain(response: ServerResponse, code: number, text: string): void {
  response.statusCode = code
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`${text}\n`)
}

async function sendFile(request: IncomingMessage, response: ServerResponse, file: string): Promise<void> {
  const { size, mtimeMs } = statSync(file)
  const etag = `"${size}-${Math.floor(mtimeMs)}"`
  response.setHeader('etag', etag)
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return
  }
  response.writeHead(200, { 'content-type': typeOf(file), 'content-length': size })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file), response)
}
