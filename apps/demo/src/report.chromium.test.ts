/** The report of the demo in a Chromium, as a person reads it: on a desk and on a phone, light and dark, without a mouse. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { comparisonHtml } from '@vmexit/compare'
import { chromiumArguments, findChromium } from '@vmexit-tools/tests/chromium'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { demoComparison } from './demo.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-report-'))
const file = join(folder, 'report.html')
let browser: Browser
beforeAll(async () => {
  writeFileSync(file, comparisonHtml(await demoComparison()))
  const executablePath = findChromium()
  browser = await chromium.launch({ ...(executablePath && { executablePath }), args: [...chromiumArguments] })
}, 300_000)
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
})

/** The page, and what it asked for or complained about. */
async function opened(width: number, colorScheme: 'light' | 'dark'): Promise<{ page: Page; heard: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
  onTestFinished(() => page.close())
  const heard: string[] = []
  page.on('request', (request) => heard.push(request.url()))
  page.on('console', (message) => heard.push(message.text()))
  page.on('pageerror', (error) => heard.push(error.message))
  await page.goto(pathToFileURL(file).href)
  return { page, heard }
}

test.each([1280, 360])('at a width of %i nothing is cut off, and nothing but the file is asked for', async (width) => {
  const { page, heard } = await opened(width, 'light')
  expect(heard).toEqual([pathToFileURL(file).href])
  await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  // No label of a chart runs into its bar.
  const cut =
    'Array.from(document.querySelectorAll(".chart tbody :is(th, td)")).filter((each) => each.scrollWidth > each.clientWidth).length'
  expect(await page.evaluate(cut)).toBe(0)
  // A bar is long for what is dear: the fork under shadow paging ends at the right, native does not begin there.
  const bars = page.locator('section[aria-labelledby=overhead] table', { hasText: 'fork, exit, wait' }).locator('rect')
  const [shadow, nested] = [await bars.nth(0).boundingBox(), await bars.nth(1).boundingBox()]
  expect(shadow!.width).toBeGreaterThan(10 * nested!.width)
})

test('it follows the reader’s light or dark', async () => {
  const paper = async (scheme: 'light' | 'dark') =>
    (await opened(800, scheme)).page.evaluate('getComputedStyle(document.body).backgroundColor')
  expect([await paper('light'), await paper('dark')]).toEqual(['rgb(255, 255, 255)', 'rgb(20, 23, 27)'])
})

test('by keyboard one gets to a section, opens figures, and scrolls a table', async () => {
  const { page } = await opened(360, 'light')
  await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Overhead')
  await page.keyboard.press('Enter')
  expect(await page.evaluate('location.hash')).toBe('#overhead')
  const summary = page.locator('summary').first()
  await summary.focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  const label = () => page.evaluate('document.activeElement.getAttribute("aria-label")')
  expect(await label()).toBe('Events of Null system call')
  await page.keyboard.press('ArrowRight')
  await expect.poll(() => page.evaluate('document.activeElement.scrollLeft')).toBeGreaterThan(0)
})

test('every chart says in words what it shows', async () => {
  const { page } = await opened(1280, 'light')
  const labels = await page.locator('svg.bar').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))
  expect(labels.length).toBeGreaterThan(50)
  for (const label of labels) expect(label).toMatch(/\S/)
  const captions = await page.locator('figcaption').allTextContents()
  for (const caption of captions) expect(caption).toMatch(/Cost model: P4_672|No prices are in this figure/)
})
