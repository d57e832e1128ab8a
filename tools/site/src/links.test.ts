import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { brokenLinks } from './links.ts'
import { titleOf } from './title.ts'

test('links to pages, anchors and pictures are followed; what is missing is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-site-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'a'))
  writeFileSync(join(folder, 'picture.svg'), '')
  writeFileSync(
    join(folder, 'index.html'),
    '<h1 id="top">x</h1><a class="b" href="a/b.html#c">x</a><a href="#top">x</a>',
  )
  writeFileSync(
    join(folder, 'a/b.html'),
    '<h2 id="c">x</h2><img alt="" src="../picture.svg"><a href="../index.html#no">x</a><a href="gone.html">x</a><a href="https://x.y/z">x</a>',
  )
  expect(brokenLinks(folder)).toEqual({
    broken: [
      { page: 'a/b.html', target: '../index.html#no' },
      { page: 'a/b.html', target: 'gone.html' },
    ],
    pages: 2,
    links: 5,
  })
})

test('a document is called by its first heading', () => {
  expect(titleOf('text\n\n# The `check`, *once*\n\n# Again')).toBe('The check, once')
  expect(titleOf('no heading')).toBeUndefined()
})
