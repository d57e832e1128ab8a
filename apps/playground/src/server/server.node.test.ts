import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Offer } from '../offer.ts'
import { guestsIn, type ServedGuests } from './guests.ts'
import { contentSecurityPolicy, policyFor } from './policy.ts'
import { listen, type Server } from './server.ts'

const offer: Offer = { guests: [], images: [], folder: '/g', remedy: 'fetch' }

/** A server that ends with the test, and a file of 300,000 bytes as a guest's. */
async function serve(guests?: () => ServedGuests): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-playground-'))
  writeFileSync(join(folder, 'kernel'), new Uint8Array(300_000).fill(7))
  const paths = new Map([['guests/a%2B/kernel', join(folder, 'kernel')]])
  const assets = new Map([
    ['index.html', Buffer.from('<!doctype html>')],
    ['assets/a.js', Buffer.from('1')],
  ])
  const server = await listen({ port: 0, assets, guests: guests ?? (() => ({ offer, paths })) })
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  return server
}

test('every answer has the policy that forbids JavaScript from text, and none isolates the page', async () => {
  const { url } = await serve()
  for (const path of ['', 'assets/a.js', 'guests.json', 'guests/a%2B/kernel', 'nothing']) {
    const { headers } = await fetch(`${url}${path}`)
    expect(headers.get('content-security-policy')).toBe(contentSecurityPolicy)
    expect(headers.get('cross-origin-opener-policy')).toBeNull()
  }
  expect(contentSecurityPolicy).toContain("script-src 'self' 'wasm-unsafe-eval';")
  expect(policyFor(['https://a.example'])).toContain("; connect-src 'self' https://a.example; ")
})

test('files have their types and lengths, so that progress can be shown', async () => {
  const { url } = await serve()
  const about = async (path: string) => {
    const response = await fetch(`${url}${path}`)
    return [response.headers.get('content-type'), (await response.bytes()).length]
  }
  expect(await about('?guest=x')).toEqual(['text/html; charset=utf-8', 15])
  expect(await about('assets/a.js')).toEqual(['text/javascript; charset=utf-8', 1])
  expect(await about('guests/a%2B/kernel')).toEqual(['application/octet-stream', 300_000])
  expect(await (await fetch(`${url}guests.json`)).json()).toEqual(offer)
})

test('a guest that the browser has is not sent again', async () => {
  const { url } = await serve()
  const etag = (await fetch(`${url}guests/a%2B/kernel`)).headers.get('etag')!
  const again = await fetch(`${url}guests/a%2B/kernel`, { headers: { 'if-none-match': etag } })
  expect(again.status).toBe(304)
})

test('only what is offered can be had, and nothing can be sent', async () => {
  const { url } = await serve()
  for (const path of ['guests/a%2B/..%2Fkernel', 'guests/', 'package.json', '..%2f..%2fetc/passwd']) {
    expect((await fetch(`${url}${path}`)).status).toBe(404)
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
})

test('a file that has gone is an answer, not the end of the server', async () => {
  const { url } = await serve(() => ({ offer, paths: new Map([['guests/a', '/gone']]) }))
  expect((await fetch(`${url}guests/a`)).status).toBe(500)
  expect((await fetch(url)).status).toBe(200)
})

test('a port that is taken is named with what to do', async () => {
  const { url } = await serve()
  const port = Number(new URL(url).port)
  await expect(listen({ port, assets: new Map(), guests: () => ({ offer, paths: new Map() }) })).rejects.toThrow(
    `port ${port} is in use: name another with --port`,
  )
})

test('a folder without guests is named with the command that fills it', () => {
  const { offer, paths } = guestsIn('/nowhere')
  expect(paths.size).toBe(0)
  expect(offer).toEqual({
    guests: [],
    images: [],
    folder: '/nowhere',
    remedy: 'npx -y pnpm@12 vmexit guests linux-686 --directory /nowhere',
  })
})
