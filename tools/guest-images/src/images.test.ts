import { programs, readProgram } from '@vmexit/guests'
import { expect, test } from 'vitest'
import { buildImages, differences, moduleOf, obstacle, readImages } from './images.ts'

const reason = obstacle()

test.skipIf(reason !== undefined)(
  reason === undefined ? 'the committed images are what their sources give, byte for byte' : `skipped: ${reason}`,
  () => {
    expect(differences(buildImages()), 'run the command build of tools/guest-images').toEqual([])
  },
)

test('the package has the committed images, and one for each program', () => {
  const images = readImages()
  expect([...images.keys()]).toEqual([...programs.map(({ name }) => name), 'pipe', 'init', 'sh', 'kvm'].sort())
  for (const { name } of programs) expect(images.get(name)!.equals(readProgram(name))).toBe(true)
})

test('nothing of the machine that built them is in the images', () => {
  for (const bytes of readImages().values())
    expect(bytes.toString('latin1')).not.toMatch(/\/(home|root|tmp|usr|work)\//)
})

test('the module has the images by name', () => {
  expect(moduleOf(new Map([['a', Buffer.of(0xff)]]))).toContain("  a: '/w==',\n")
})
