import { expect, test } from 'vitest'
import { read, remedyFor } from './read.ts'

const imports = (text: string) => read('a.ts', text).imports.map(({ specifier }) => specifier)
const uses = (text: string) => read('a.ts', text).uses.map(({ what }) => what)

test('every way to import is seen', () => {
  const text = [
    "import a from './a.ts'",
    "import type { B } from './b.ts'",
    "export * from './c.ts'",
    "type D = import('./d.ts').D",
    "await import('./e.ts')",
    "import './f.ts'",
    "const text = 'import x from \"./no.ts\"' // import './no.ts'",
  ]
  expect(imports(text.join('\n'))).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts'])
  expect(read('a.ts', text.join('\n')).imports[2]).toEqual({ specifier: './c.ts', line: 3 })
})

test('the host’s time, chance, environment and JavaScript from text are seen, by any name of the global', () => {
  expect(uses('Date.now() + globalThis.performance.now() + Math.random()')).toEqual([
    'Date.now',
    'performance.now',
    'Math.random',
  ])
  expect(uses('new Date(); process.env; eval("1"); new Function("1"); Function("1")')).toEqual([
    'new Date',
    'process.env',
    'eval',
    'Function',
    'Function',
  ])
})

test('a date of a given time is no use of the clock', () => {
  expect(uses('new Date(0); new Date(seconds * 1000); new Date; new Date()')).toEqual(['new Date', 'new Date'])
})

test('transcendental functions are seen, since their bits differ between hosts; exact ones are allowed', () => {
  expect(uses('Math.sin(Math.sqrt(Math.imul(1, Math.pow(2, 3))))')).toEqual(['Math.sin', 'Math.pow'])
})

test('words in comments, strings, types and other objects are not uses', () => {
  expect(uses("// Date.now()\nconst a = 'eval(1)'; clock.now(); let process: Date; state.random()")).toEqual([])
})

test('each use comes with a remedy', () => {
  for (const what of ['Date.now', 'process.env', 'Math.sin', 'eval']) expect(remedyFor({ what, line: 1 })).not.toBe('')
})
