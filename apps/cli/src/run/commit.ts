/** `vmexit commit`: an image of what a container has changed. */
import { openFiles } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import type { ExecutionConfig } from '@vmexit/image'
import { interruptible } from '../images/interruptible.ts'
import { openImages } from '../images/store.ts'
import { containerNamed } from './containers.ts'
import { openKept } from './kept-files.ts'

/** As commander gives them. */
export interface CommitFlags {
  readonly message?: string
  readonly author?: string
  readonly change?: readonly string[]
}

export async function commit(word: string, name: string | undefined, flags: CommitFlags): Promise<void> {
  const container = containerNamed(word)
  const images = openImages()
  const image = await images.find(container.spec.image.id)
  const config = changed(image.config.config ?? {}, flags.change ?? [])
  await using kept = await openKept(container)
  using files = await openFiles({ image, layer: kept.layer() })
  await interruptible(async (options) => {
    const made = await files.commit(images, image, {
      ...options,
      ...(name !== undefined && { name }),
      ...(flags.author !== undefined && { author: flags.author }),
      comment: flags.message ?? `of ${container.instance.name}`,
      created: new Date().toISOString(),
      config,
    })
    process.stdout.write(`${made.id}\n`)
  })
}

/** The configuration behind instructions of a Dockerfile. @throws VmexitError `commit-change`. */
export function changed(config: ExecutionConfig, instructions: readonly string[]): ExecutionConfig {
  return instructions.reduce(behind, config)
}

function behind(before: ExecutionConfig, text: string): ExecutionConfig {
  const [, word = '', rest = ''] = /^\s*([a-z]+)\s+(.*?)\s*$/is.exec(text) ?? []
  switch (word.toUpperCase()) {
    case 'CMD':
      return { ...before, Cmd: programOf(rest) }
    case 'ENTRYPOINT':
      return { ...before, Entrypoint: programOf(rest) }
    case 'WORKDIR':
      return { ...before, WorkingDir: rest }
    case 'USER':
      return { ...before, User: rest }
    case 'ENV': {
      const [, name, value] = /^([^=\s]+)[=\s](.*)$/s.exec(rest) ?? []
      if (name === undefined) break
      const others = (before.Env ?? []).filter((each) => !each.startsWith(`${name}=`))
      return { ...before, Env: [...others, `${name}=${value}`] }
    }
  }
  throw new VmexitError('commit-change', {
    problem: `'${text}' is no change`,
    remedy: 'give CMD, ENTRYPOINT, ENV NAME=VALUE, WORKDIR or USER',
  })
}

/** A JSON array of words, or a line for a shell. */
function programOf(text: string): readonly string[] {
  if (text.startsWith('['))
    try {
      const words: unknown = JSON.parse(text)
      if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
    } catch {
      // It is for a shell.
    }
  return ['/bin/sh', '-c', text]
}
