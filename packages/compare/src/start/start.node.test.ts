/** Starts: the same until the first instruction under every technique, and dearer for what is more. */
import { pentium4 } from '@vmexit/core'
import { readTeachingKernel } from '@vmexit/guests/node'
import { beforeAll, expect, test } from 'vitest'
import { compare, instructionsOf, type Start, type Technique, techniquesOn } from '../index.ts'
import { BASE, WAIT_INSTRUCTIONS, waited, waitingProgram } from './programs.ts'

const kernel = { name: 'teaching', image: readTeachingKernel('teaching') }
const started = async (engine: 'jit' | 'interpreter', techniques: readonly Technique[]): Promise<readonly Start[]> =>
  (await compare({ workloads: [], techniques, kernel, profile: pentium4, starts: true, engine })).starts
const start = (starts: readonly Start[], name: string) => starts.find(({ technique }) => technique === name)!

let starts: readonly Start[]
beforeAll(async () => {
  starts = await started('jit', techniquesOn(kernel))
}, 300_000)

test('a guest comes to its first program by the same instructions under every technique', () => {
  const guests = ['native', 'software-emulation', 'vtx-shadow', 'vtx-nested', 'vtx-nested-2m']
  const counts = guests.map((name) => start(starts, name)).map(({ first, exit }) => [first, exit].map(instructionsOf))
  for (const each of counts) expect(each).toEqual(counts[0])
  const [first, exit] = counts[0]!
  expect(first).toBeGreaterThan(1_000_000)
  expect(exit! - first!).toBeGreaterThan(10_000)
  // None of what the waiting program waits is among them.
  expect(exit! - first!).toBeLessThan(WAIT_INSTRUCTIONS)
})

test('a process starts before a container, and a container before a guest; and they hold less', () => {
  const three = ['process', 'container', 'native'].map((name) => start(starts, name))
  const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)
  for (const figure of [({ first }: Start) => instructionsOf(first), ({ exit }: Start) => instructionsOf(exit)])
    expect(three.map(figure)).toEqual(sorted(three.map(figure)))
  expect(three.map(({ residentBytes }) => residentBytes)).toEqual(sorted(three.map((each) => each.residentBytes)))
  for (const { imageBytes, residentBytes } of three) expect(Math.min(imageBytes, residentBytes)).toBeGreaterThan(0)
})

test('another engine says the same, and so does another run', async () => {
  const few = techniquesOn(kernel).filter(({ name }) => ['vtx-nested-2m', 'process', 'container'].includes(name))
  expect(await started('interpreter', few)).toEqual(
    starts.filter((each) => few.some(({ name }) => name === each.technique)),
  )
})

test('where a program waits says how long it has', () => {
  const entry = BASE + 52 + 32
  const rounds = (WAIT_INSTRUCTIONS - 1) / 2
  expect(waited(entry, 0)).toBe(0)
  expect(waited(entry + 5, rounds)).toBe(1)
  // DEC has been done, JNZ has not.
  expect(waited(entry + 6, rounds - 1)).toBe(2)
  expect(waited(entry + 5, rounds - 1)).toBe(3)
  expect(new TextDecoder().decode(waitingProgram('/real')).endsWith('/real\0')).toBe(true)
})
