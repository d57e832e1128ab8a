/** The page as it is published, from a server that knows nothing but files: every view, as a person uses it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { readProgram } from '@vmexit/guests'
import { readTeachingKernel } from '@vmexit/guests/node'
import { chromiumArguments, findChromium } from '@vmexit-tools/tests/chromium'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { buildPage, writePage } from './server/build.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-page-'))
const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
let server: Server
let url: string
let browser: Browser

beforeAll(async () => {
  writePage(await buildPage(), folder)
  server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://x').pathname.replace(/^\/somewhere\/$/, '/somewhere/index.html')
    try {
      const bytes = readFileSync(join(folder, name.replace('/somewhere/', '')))
      response.writeHead(200, { 'content-type': types[extname(name)] ?? 'application/octet-stream' }).end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/somewhere/`
  browser = await chromium.launch({ executablePath: findChromium()!, args: [...chromiumArguments] })
}, 120_000)

afterAll(async () => {
  await browser?.close()
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The page, and all that Chromium complained of. */
async function open(query: string, options: { width?: number; scheme?: 'light' | 'dark' } = {}) {
  const { width = 1280, scheme = 'light' } = options
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme })
  onTestFinished(() => page.close())
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(url + query)
  return { page, complaints }
}

/** Waits until the terminal of a view shows the text. */
async function onScreen(page: Page, terminal: '#terminal' | '#container-terminal', text: string): Promise<void> {
  const rows = async () => {
    const all = await page.locator(`${terminal} .xterm-rows > div`).allTextContents()
    return all.map((row) => row.trimEnd()).join('\n')
  }
  await expect.poll(rows, { timeout: 60_000, interval: 100 }).toContain(text)
}

test('the teaching kernel under VT-x: a shell, its exits one by one, and what a TLB miss costs', async () => {
  const { page, complaints } = await open('?guest=teaching&way=vtx-nested')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await onScreen(page, '#terminal', '\n$')
  await page.keyboard.type('echo so | cat\n')
  await onScreen(page, '#terminal', '\nso\n$')
  const reasons = page.getByRole('region', { name: 'Exits by reason' })
  await expect.poll(() => reasons.textContent()).toMatch(/ept violation[\d,]+/)
  const log = page.getByRole('region', { name: 'Latest exits' })
  await expect.poll(() => log.locator('tbody tr').count()).toBeGreaterThan(10)
  expect(await log.locator('tbody tr').first().textContent()).toMatch(/^[\d,]+[a-z ]+[0-9a-f]{8}[0-9a-f]+$/)

  await page.getByText('Page walk and TLB').click()
  await page.getByRole('textbox', { name: 'Linear address' }).fill('8048000')
  await page.getByRole('button', { name: 'Look' }).click()
  // Two levels of the guest's, each behind four of the second stage, and four more behind the address itself.
  await expect.poll(() => page.locator('#walk-steps li').count()).toBe(14)
  expect(await page.locator('#walk-steps li.first').count()).toBe(2)
  expect(await page.locator('#walk-end').textContent()).toMatch(/lies at [0-9a-f]{8} .*costs 14 references/)
  expect(await page.getByRole('img', { name: /of 4096 slots are in use/ }).count()).toBe(2)

  await page.getByText('All counts').click()
  await page.getByText('second stage references').waitFor()
  expect(page.workers()).toHaveLength(1)
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
  await page.locator('#terminal').click()
  await page.keyboard.type('exit\n')
  await expect.poll(() => page.locator('#status').textContent()).toBe('Powered off')
  expect(complaints).toEqual([])
})

test.each([
  ['native', 2, /guest owns the machine/],
  ['software-emulation', 2, /does every instruction itself/],
  ['vtx-shadow', 2, undefined],
] as const)('%s: a kernel file of one’s own boots, and a walk takes %i references', async (way, references, why) => {
  const { page, complaints } = await open(`?way=${way}`)
  await page.locator('[name=guest]').selectOption('files')
  const file = { name: 'my-kernel', mimeType: '', buffer: Buffer.from(readTeachingKernel('teaching')) }
  await page.locator('[name=kernel]').setInputFiles(file)
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  // It has no init.
  await onScreen(page, '#terminal', 'panic')
  if (why !== undefined) expect(await page.locator('#exits-none').textContent()).toMatch(why)
  await page.getByText('Page walk and TLB').click()
  await page.getByRole('textbox', { name: 'Linear address' }).fill('c0100000')
  const look = page.getByRole('button', { name: 'Look' })
  if (await look.isEnabled()) {
    await look.click()
    await expect.poll(() => page.locator('#walk-steps li').count()).toBeLessThanOrEqual(references)
  }
  expect(complaints).toEqual([])
})

test('parts: what does not fit is said with its remedy, by keyboard; what fits boots', async () => {
  const { page, complaints } = await open('#parts')
  await page.getByText('These parts fit').waitFor()
  await page.getByRole('combobox', { name: 'cpu' }).focus()
  await page.keyboard.press('ArrowDown')
  const problems = page.locator('#parts-problems li')
  await expect
    .poll(() => problems.allTextContents())
    .toEqual(["✗ vtx needs 'vmx' of the machine: use cpu: x86({ vmx: true })"])
  expect(await page.getByRole('button', { name: /Boot the teaching kernel/ }).isEnabled()).toBe(false)
  await page.keyboard.press('ArrowUp')
  await page.getByText('These parts fit').waitFor()
  await page.getByRole('combobox', { name: 'mmu' }).selectOption('shadowPaging()')
  await page.getByText('mmu: shadowPaging()').waitFor()
  await page.getByRole('button', { name: /Boot the teaching kernel/ }).click()
  await onScreen(page, '#terminal', '\n$')
  expect(await page.locator('[name=way]').inputValue()).toBe('vtx-shadow')
  expect(complaints).toEqual([])
})

test('a container: a shell, its limits and what it takes', async () => {
  const { page, complaints } = await open('#container')
  await page.getByRole('combobox', { name: 'Processes' }).selectOption('5')
  await page.getByRole('button', { name: 'Run' }).click()
  await onScreen(page, '#container-terminal', '\n$')
  await page.keyboard.type('echo in here > /tmp.txt\ncat /tmp.txt /\nfork 2\n')
  await onScreen(page, '#container-terminal', '\nin here')
  await onScreen(page, '#container-terminal', '@@end fork')
  await expect.poll(() => page.locator('#container-call-names').textContent()).toMatch(/fork\d/)
  expect(await page.locator('#container-peak').textContent()).toMatch(/^0\.\d MiB$/)
  await page.keyboard.press('Control+C')
  await page.keyboard.type('exit 3\n')
  await expect.poll(() => page.locator('#container-status').textContent()).toBe('Ended, exit code 3')

  await page.getByRole('combobox', { name: 'Files' }).selectOption('file')
  const program = { name: 'sh', mimeType: '', buffer: Buffer.from(readProgram('sh')) }
  await page.locator('#container-file').setInputFiles(program)
  await page.getByRole('button', { name: 'Run' }).click()
  await onScreen(page, '#container-terminal', 'A small shell')
  await page.keyboard.type('ls /bin\n')
  await onScreen(page, '#container-terminal', '\nsh\n$')
  await page.getByRole('button', { name: 'Kill' }).click()
  expect(complaints).toEqual([])

  await page.locator('#container-file').setInputFiles({ ...program, name: 'notes.txt', buffer: Buffer.from('hello') })
  await page.getByRole('button', { name: 'Run' }).click()
  await page.getByRole('alert').waitFor()
  expect(await page.getByRole('alert').textContent()).toMatch(/notes\.txt is no image.*docker save/s)
})

test('the comparison: the report with its charts, and its figures as files', async () => {
  const { page, complaints } = await open('#comparison')
  const program = (name: string) => page.getByRole('checkbox', { name, exact: true })
  await program('CPUID').waitFor()
  for (const name of [
    'Page fault',
    'fork, exit, wait',
    'Random access',
    'Null system call',
    'emulation',
    'process',
    'container',
  ])
    await program(name).uncheck()
  await page.getByRole('button', { name: 'Compare' }).click()
  await expect.poll(() => page.locator('#compare-status').textContent(), { timeout: 60_000 }).toMatch(/^Done/)
  const report = page.frameLocator('#report')
  await report.getByRole('heading', { name: 'Overhead' }).waitFor()
  expect(await report.locator('svg.bar').count()).toBeGreaterThan(8)
  expect(await report.getByText('×438').count()).toBeGreaterThan(2)
  expect(await page.locator('#report-json').getAttribute('href')).toMatch(/^blob:/)
  // The page scrolls, not the frame.
  const inside = 'document.getElementById("report").contentDocument.documentElement'
  expect(await page.evaluate(`${inside}.scrollHeight <= ${inside}.clientHeight`)).toBe(true)
  expect(complaints).toEqual([])
})

test.each([
  [1280, 'light'],
  [360, 'dark'],
] as const)('at a width of %i, %s: nothing is cut off, and all that can be used has a name', async (width, scheme) => {
  const { page, complaints } = await open('', { width, scheme })
  const papers = new Set<unknown>()
  for (const view of ['Machine', 'Parts', 'Container', 'Comparison']) {
    await page.getByRole('link', { name: view }).click()
    await page.waitForTimeout(300)
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    expect(await page.getByRole('link', { name: view }).getAttribute('aria-current')).toBe('page')
    const nameless = `Array.from(document.querySelectorAll('main:not([hidden]) :is(button, select, input, textarea, iframe:not([hidden]))')).filter((each) =>
      !(each.labels?.[0]?.textContent.trim() || each.textContent.trim() || each.getAttribute('aria-label') || each.title)).map((each) => each.outerHTML)`
    expect(await page.evaluate(nameless)).toEqual([])
    papers.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
  }
  expect([...papers]).toEqual([scheme === 'dark' ? 'rgb(21, 26, 33)' : 'rgb(243, 245, 247)'])
  expect(complaints).toEqual([])
})

test('by keyboard one gets from the top to the views, the form, the start, and into the terminal', async () => {
  const { page } = await open('?guest=teaching')
  const reached: string[] = []
  const focused =
    'document.activeElement.id || document.activeElement.name || document.activeElement.textContent.trim()'
  for (let n = 0; n < 20 && reached.at(-1) !== 'start'; n++) {
    await page.keyboard.press('Tab')
    reached.push(await page.evaluate(focused))
  }
  expect(reached.slice(0, 6)).toEqual(['Machine', 'Parts', 'Container', 'Comparison', 'guest', 'way'])
  expect(reached.at(-1)).toBe('start')
  await page.keyboard.press('Enter')
  await onScreen(page, '#terminal', '\n$')
  expect(await page.evaluate('document.activeElement.className')).toContain('xterm')
})
