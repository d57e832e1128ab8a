/** Runs containers to their end. */
import { checkKernel } from '@vmexit/linux'
import { type Container, type ContainerOptions, createContainer } from '../src/index.ts'
import { collect } from '../src/streams.ts'
import { busyboxImage } from './busybox-image.ts'

const decoder = new TextDecoder()

/** What a container has said, and how it ended. */
export interface Ran {
  readonly output: string
  readonly errors: string
  readonly exitCode: number
}

/** Reads a container to its end, with what it is to read. */
export async function finish(container: Container, input = ''): Promise<Ran> {
  const writer = container.stdin.getWriter()
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close())
  const [output, errors, { exitCode }] = await Promise.all([
    collect(container.stdout),
    collect(container.stderr),
    container.exited,
  ])
  await Promise.race([written, container.exited])
  return { output: decoder.decode(output), errors: decoder.decode(errors), exitCode }
}

/** A script of busybox's shell in a container of its own, whose kernel's books are looked at. */
export async function shell(script: string, options: Partial<ContainerOptions> = {}, input?: string): Promise<Ran> {
  const image = options.image ?? (await busyboxImage())
  await using container = await createContainer({ image, args: ['sh', '-c', script], ...options })
  const ran = await finish(container, input)
  const wrong = checkKernel(container.host.kernel)
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return ran
}

/** What a further program has said. */
export async function said(container: Container, script: string): Promise<string> {
  const { stdout, stderr } = await container.exec({ args: ['sh', '-c', script] })
  return decoder.decode(stdout) + decoder.decode(stderr)
}
