/** The page in a Chromium, as a person uses it: served by `pnpm playground`, under its policy, to a shell and back. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findGuests } from '@vmexit/cli/guests'
import { chromiumArguments, findChromium } from '@vmexit-tools/tests/chromium'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

const guest = 'linux-686'
const present = findGuests()[guest] !== undefined
const prompt = '\n~ #'

let program: ChildProcess
let url: string
/** Servers that let pages of others read what they say, and what they were asked. */
const asked: string[] = []
const serverElsewhere = () =>
  createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`)
    response.setHeader('access-control-allow-origin', '*')
    response.end(`${method} ${url} from elsewhere\n`)
  })
/** One that the program is told of, and another. */
const [elsewhere, unnamed] = [serverElsewhere(), serverElsewhere()]
const portOf = (server: typeof elsewhere): number => (server.address() as AddressInfo).port
const addressOf = (server: typeof elsewhere): string => `http://127.0.0.1:${portOf(server)}`
let browser: Browser

beforeAll(async () => {
  for (const server of [elsewhere, unnamed]) await once(server.listen(0, '127.0.0.1'), 'listening')
  const main = join(import.meta.dirname, 'main.ts')
  program = spawn(
    process.execPath,
    ['--conditions=@vmexit/source', main, '--port', '0', '--connect', addressOf(elsewhere)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [line] = (await once(program.stdout!, 'data')) as [Buffer]
  url = /http:\S+/.exec(line.toString())![0]
  browser = await chromium.launch({ executablePath: findChromium()!, args: [...chromiumArguments] })
}, 60_000)

afterAll(async () => {
  await browser?.close()
  for (const server of [elsewhere, unnamed]) server.close()
  program.kill('SIGINT')
  const [code] = program.exitCode === null ? await once(program, 'exit') : [program.exitCode]
  expect(code).toBe(0)
})

/** The page, and what Chromium had to say of its policy so far, in the page and in its workers. */
async function open(
  query = '',
  prepare?: (page: Page) => Promise<unknown>,
): Promise<{ page: Page; refused: string[] }> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) refused.push(message.text())
  })
  await prepare?.(page)
  await page.goto(`${url}${query}`)
  return { page, refused }
}

/** What the terminal shows, a line for a row. */
async function screen(page: Page): Promise<string> {
  const rows = await page.locator('.xterm-rows > div').allTextContents()
  return rows.map((row) => row.trimEnd()).join('\n')
}

/** Waits until the text is on the terminal's screen. */
async function onScreen(page: Page, text: string): Promise<void> {
  await expect.poll(() => screen(page), { timeout: 120_000, interval: 100 }).toContain(text)
}

/** Whether the page, or its worker, may make JavaScript of text: asked in a turn of its own, since a debugger's may. */
const makesCode = () =>
  new Promise<boolean>((resolve) => {
    setTimeout(() => {
      try {
        resolve(new Function('return true')())
      } catch {
        resolve(false)
      }
    })
  })

describe.skipIf(!present)(
  present ? `${guest} on the page` : `skipped: no ${guest}; fetch it with \`vmexit guests ${guest}\``,
  { timeout: 300_000 },
  () => {
    test('in a worker: a shell that answers, under the policy, and powers off', async () => {
      const { page, refused } = await open(`?guest=${guest}`)
      await page.getByRole('button', { name: 'Start' }).click()
      await onScreen(page, prompt)
      await page.keyboard.type('uname -a\n')
      await onScreen(page, 'i686 GNU/Linux')
      await page.keyboard.type('cat /proc/cpuinfo | grep model\n')
      await onScreen(page, 'Pentium(R) M')
      expect(await screen(page)).toMatch(/^~ # uname -a\nLinux \(none\) 6\..*\n~ # cat .*\nmodel\s+: 13\nmodel name/m)

      expect(page.workers()).toHaveLength(1)
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
      expect(await page.workers()[0]!.evaluate(() => crossOriginIsolated)).toBe(false)
      expect(refused).toEqual([])
      expect(await page.evaluate(makesCode)).toBe(false)
      expect(await page.workers()[0]!.evaluate(makesCode)).toBe(false)

      await page.locator('#terminal').click()
      await page.keyboard.type('poweroff -f\n')
      await expect.poll(() => page.locator('#status').textContent()).toBe('Powered off')
      await expect.poll(() => page.workers().length).toBe(0)
    })

    test("on the page's own thread: what is clicked and typed is not kept waiting", async () => {
      const { page, refused } = await open(`?guest=${guest}&thread=page&memory=64+MiB`)
      await page.getByRole('button', { name: 'Start' }).click()
      await onScreen(page, '[    ')
      await page.getByText('All counts').click()
      await page.getByText('tlb misses data').waitFor({ timeout: 5000 })
      await onScreen(page, prompt)
      await page.locator('#terminal').click()
      await page.keyboard.type('uname -m\n')
      await onScreen(page, '\ni686')
      await page.keyboard.type('yes\n')
      await onScreen(page, 'y\ny\ny')
      await page.keyboard.press('Control+c')
      await onScreen(page, '^C')
      expect(page.workers()).toHaveLength(0)
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
      expect(refused).toEqual([])
      await page.getByRole('button', { name: 'Stop' }).click()
      expect(await page.locator('#status').textContent()).toBe('Off')
    })
  },
)

const busybox = findGuests().busybox !== undefined

test.skipIf(!busybox)(
  busybox ? 'a container of busybox' : 'skipped: no busybox; fetch it with `vmexit guests busybox`',
  { timeout: 120_000 },
  async () => {
    const { page, refused } = await open('#container')
    await page.getByRole('combobox', { name: 'Files' }).selectOption('busybox')
    await page.getByRole('button', { name: 'Run' }).click()
    const shown = async () => {
      const rows = await page.locator('#container-terminal .xterm-rows > div').allTextContents()
      return rows.map((row) => row.trimEnd()).join('\n')
    }
    await expect.poll(shown, { timeout: 60_000 }).toMatch(/^\/ #/m)
    await page.keyboard.type('hostname; id -u; stty size\n')
    await expect.poll(shown).toMatch(/\nplayground\n0\n\d+ \d+\n/)
    await page.keyboard.type('sleep 1000\n')
    await page.keyboard.press('Control+C')
    await page.keyboard.type('echo back\n')
    await expect.poll(shown).toMatch(/\^C\n\/ # echo back\nback/)
    expect(refused).toEqual([])
  },
)

test.skipIf(!busybox)(
  busybox ? 'a container that reaches a server, and no other' : 'skipped, too: no busybox',
  { timeout: 120_000 },
  async () => {
    const { page, refused } = await open('#container')
    await page.getByRole('combobox', { name: 'Files' }).selectOption('busybox')
    await page
      .getByRole('textbox', { name: 'Servers it may reach' })
      .fill(`${addressOf(elsewhere)} ${addressOf(unnamed)}`)
    await page.getByRole('button', { name: 'Run' }).click()
    const shown = async () => {
      const rows = await page.locator('#container-terminal .xterm-rows > div').allTextContents()
      return rows.map((row) => row.trimEnd()).join('\n')
    }
    await expect.poll(shown, { timeout: 60_000 }).toMatch(/^\/ #/m)
    await page.keyboard.type(`wget -q -O - http://10.88.1.1:${portOf(elsewhere)}/news\n`)
    await expect.poll(shown).toContain('\nGET /news from elsewhere\n')
    await page.keyboard.type('wget -q -O - http://third.example/\n')
    await expect.poll(shown).toContain("bad address 'third.example'")
    expect(refused).toEqual([])
    // What the policy does not allow, the browser refuses, and the container is told so.
    await page.keyboard.type(`wget -q -O - http://10.88.1.1:${portOf(unnamed)}/secret\n`)
    await expect.poll(shown).toContain('502 Bad Gateway')
    expect(asked).toEqual(['GET /news'])
  },
)

test('a file that is no kernel is named with what to do, and the page is ready for another', async () => {
  const { page } = await open()
  await page.locator('[name=guest]').selectOption('files')
  await page.locator('[name=kernel]').setInputFiles({ name: 'notes.txt', mimeType: '', buffer: Buffer.from('hello') })
  await page.getByRole('button', { name: 'Start' }).click()
  const problem = page.getByRole('alert')
  await problem.waitFor()
  expect(await problem.textContent()).toMatch(/kernel is no bzImage.*vmlinuz/s)
  expect(await page.locator('#status').textContent()).toBe('Off')
})

test('a server without guests says how to fetch them', async () => {
  const none = { guests: [], images: [], folder: '/g', remedy: 'npx -y pnpm@12 vmexit guests linux-686' }
  const { page } = await open('', (page) => page.route('**/guests.json', (route) => route.fulfill({ json: none })))
  const hint = page.getByText('no more guests in /g')
  await hint.waitFor()
  expect(await hint.textContent()).toContain('vmexit guests linux-686')
})
