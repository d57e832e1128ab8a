import { expect, test } from 'vitest'
import { cycles } from './cycles.ts'

const graph = (...edges: string[]) => {
  const nodes = new Map<string, string[]>()
  for (const [from, to] of edges) nodes.set(from!, [...(nodes.get(from!) ?? []), to!])
  return nodes
}

test('a tree and a diamond have no cycle', () => {
  expect(cycles(graph('ab', 'ac', 'bd', 'cd'))).toEqual([])
})

test('cycles are found wherever the search starts, a node that reaches itself included', () => {
  expect(cycles(graph('ab', 'bc', 'ca', 'cd', 'xy', 'yx', 'zz'))).toEqual([['a', 'b', 'c'], ['x', 'y'], ['z']])
})

test('a node behind a cycle is no part of it', () => {
  expect(cycles(graph('ab', 'ba', 'bc', 'cd'))).toEqual([['a', 'b']])
})
