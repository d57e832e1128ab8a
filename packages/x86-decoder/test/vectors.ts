/** Finds the folder of test vectors, which stands beside the workspace and not in it. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** `../shared/vectors/<name>`, seen from the workspace's root; `null`, with a message, where the folder is absent. */
export function vectorFolder(name: string): string | null {
  let root = import.meta.dirname
  while (!existsSync(join(root, 'pnpm-workspace.yaml'))) root = dirname(root)
  const folder = join(root, '..', 'shared', 'vectors', name)
  if (existsSync(folder)) return folder
  console.log(`No vectors in ${folder}: the tests on ${name} are skipped`)
  return null
}

/** Bytes of a string of hexadecimal digits, with or without spaces between them. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (digits) => Number.parseInt(digits, 16))
}
