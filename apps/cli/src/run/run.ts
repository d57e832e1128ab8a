/** Runs a container in the foreground: its streams are those of this process, and signals are its program's. */
import { type Container, type ContainerErrorCode, createContainer } from '@vmexit/container'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { tuneHost } from '../boot/host.ts'
import { openImages } from '../images/store.ts'
import { type RunFlags, report, statistics } from '../run-elf/run.ts'
import { openHost } from './machine.ts'
import { optionsOf, type SpecFlags, specOf } from './spec.ts'

/** What the command line says. */
export interface ContainerFlags extends SpecFlags, Pick<RunFlags, 'stats' | 'json'> {}

/** What is wrong with the container itself, as Docker has it. */
const FAILED = 125
const CODES: Partial<Record<ContainerErrorCode, number>> = {
  'container-program': 126,
  'container-program-missing': 127,
}
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
/** So many signals are understood to be meant. */
const ENOUGH = 3

/** Runs it; answers its exit code. */
export async function runContainer(name: string, args: readonly string[], flags: ContainerFlags): Promise<number> {
  tuneHost()
  try {
    return await run(name, args, flags)
  } catch (error) {
    process.exitCode = isVmexitError(error) ? (CODES[error.code as ContainerErrorCode] ?? FAILED) : FAILED
    throw error
  }
}

async function run(name: string, args: readonly string[], flags: ContainerFlags): Promise<number> {
  const { stdin, stdout } = process
  const isTyped = flags.tty === true && flags.interactive === true
  if (isTyped && !stdin.isTTY)
    throw new VmexitError('run-terminal', {
      problem: '-it asks for a terminal, and standard input is none',
      remedy: 'leave -t out, or run it in one',
    })
  const image = await openImages().find(name)
  const spec = specOf({ id: image.id, name }, args, flags)
  const host = openHost(spec.machine)
  await using container = await createContainer({
    ...optionsOf(spec, image, host),
    ...(spec.tty && { terminal: { rows: stdout.rows || 24, columns: stdout.columns || 80 } }),
  })
  const started = performance.now()
  let text = ''
  const decoder = new TextDecoder()
  const show =
    (stream: NodeJS.WriteStream) =>
    async (bytes: Uint8Array): Promise<void> => {
      if (flags.json) text += decoder.decode(bytes, { stream: true })
      else if (!stream.write(bytes)) await new Promise((done) => stream.once('drain', done))
    }
  const end = connected(container, flags)
  try {
    const [status] = await Promise.all([
      container.exited,
      each(container.stdout, show(process.stdout)),
      each(container.stderr, show(process.stderr)),
    ])
    const seconds = (performance.now() - started) / 1000
    const { memoryPeak } = container.usage
    if (flags.json)
      process.stdout.write(
        `${JSON.stringify({ ...status, output: text, memoryPeak, ...report(host.kernel, seconds) }, undefined, 2)}\n`,
      )
    else if (flags.stats)
      process.stderr.write(`${'memoryPeak'.padEnd(28)} ${memoryPeak}\n${statistics(host.kernel, seconds)}`)
    return status.exitCode
  } finally {
    end()
  }
}

/** This process's input and signals go to the container; answers what ends that. */
function connected(container: Container, { interactive, tty }: ContainerFlags): () => void {
  const { stdin, stdout } = process
  const writer = container.stdin.getWriter()
  // While the container waits for what nobody has sent yet, this process is not at its end.
  const alive = setInterval(() => {}, 2 ** 30)
  const ends: (() => void)[] = [() => clearInterval(alive)]
  const finish = (): void => {
    for (const end of ends) end()
  }
  let signals = 0
  for (const name of FORWARDED) {
    const forward = (): void => container.kill(++signals >= ENOUGH ? 'SIGKILL' : name)
    process.on(name, forward)
    ends.push(() => process.off(name, forward))
  }
  if (tty) {
    const resize = (): void => container.resize({ rows: stdout.rows || 24, columns: stdout.columns || 80 })
    stdout.on('resize', resize)
    ends.push(() => stdout.off('resize', resize))
  }
  if (!interactive) {
    if (!tty) writer.close().catch(() => {})
    return finish
  }
  const isRaw = tty === true && stdin.isTTY
  // A writer waits until the program has read; more than that is not taken in.
  const onData = (bytes: Uint8Array): void => {
    if (!isRaw) stdin.pause()
    writer.write(bytes).then(
      () => stdin.resume(),
      () => {},
    )
  }
  const onEnd = (): void => void writer.close().catch(() => {})
  if (isRaw) stdin.setRawMode(true)
  stdin.on('data', onData).on('end', onEnd)
  ends.push(() => {
    stdin.off('data', onData).off('end', onEnd)
    if (isRaw) stdin.setRawMode(false)
    stdin.pause()
    stdin.unref?.()
  })
  return finish
}

async function each(stream: ReadableStream<Uint8Array>, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) return
    await take(value)
  }
}
