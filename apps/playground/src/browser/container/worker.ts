/** A worker with one container and its kernel. */
import { type Container, ContainerHost, createContainer, createNetwork } from '@vmexit/container'
import { webOutside } from '@vmexit/container/web'
import { type Image, Images, memoryStore } from '@vmexit/image'
import { callNumbers, i386 } from '@vmexit/linux'
import { problemOf } from '../problem.ts'
import { kindOfFile, programTree, treeOfInitramfs, treeOfProgram, unpacked } from './archive.ts'
import type { ContainerReport, ContainerRequest, ContainerSetup, ImageSource } from './protocol.ts'
import { rulesOf } from './reach.ts'

/** Milliseconds between two reports of what it takes. */
const usageEvery = 250
/** Calls that are named. */
const namedCalls = 12

const send = (report: ContainerReport) => postMessage(report)

/** Idle time lasts as long as it says: a person looks. */
const host = new ContainerHost({
  memory: '256 MiB',
  pace: (came) => ({
    pause: turn,
    async wait(nanoseconds) {
      const start = performance.now()
      const passed = () => (performance.now() - start) * 1e6
      if (!Number.isFinite(nanoseconds)) {
        await came()
        return 0
      }
      const until = new Promise<void>((done) => setTimeout(done, nanoseconds / 1e6))
      await Promise.race([came(), until])
      return Math.min(nanoseconds, passed())
    },
  }),
})

function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((done) => {
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(0)
  })
}

async function imageOf(source: ImageSource): Promise<Image> {
  const images = new Images({ store: memoryStore() })
  const config = { Cmd: ['/bin/sh'], Env: ['PATH=/bin:/sbin:/usr/bin:/usr/sbin'] }
  if (source.kind === 'programs') return await images.import(programTree(), { name: 'programs', config })
  const bytes = await unpacked(source.bytes)
  const kind = kindOfFile(source.name, bytes)
  if (kind === 'image') return (await images.load([bytes]))[0]!
  const base = source.name.replace(/[^a-zA-Z0-9_.-]/g, '') || 'program'
  const tree = kind === 'tree' ? [bytes] : kind === 'initramfs' ? treeOfInitramfs(bytes) : treeOfProgram(base, bytes)
  return await images.import(tree, { name: 'file', config })
}

async function start({ image, command, memory, pids, servers, terminal }: ContainerSetup): Promise<Container> {
  const args = command.length > 0 && { entrypoint: [...command] }
  const egress = rulesOf(servers)
  const network = egress.length > 0 && { network: createNetwork({ host, outside: webOutside() }), egress }
  return await createContainer({
    image: await imageOf(image),
    host,
    name: 'playground',
    memory,
    pids,
    terminal,
    ...args,
    ...network,
  })
}

function usageOf(container: Container): ContainerReport {
  const { callCounts, cpu } = host.kernel
  const calls = [...callCounts]
    .map((count, number): [string, number] => [callNames.get(number) ?? `call ${number}`, count])
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
  const systemCalls = calls.reduce((sum, [, count]) => sum + count, 0)
  const usage = { ...container.usage, instructions: cpu.retired, systemCalls, calls: calls.slice(0, namedCalls) }
  return { type: 'usage', usage }
}

const callNames = new Map([...callNumbers(i386)].map(([name, number]) => [number, name]))

let container: Container | undefined
let input: WritableStreamDefaultWriter<Uint8Array> | undefined
const encoder = new TextEncoder()

async function run(setup: ContainerSetup): Promise<void> {
  try {
    container = await start(setup)
    input = container.stdin.getWriter()
    send({ type: 'running' })
    const started = container
    const timer = setInterval(() => send(usageOf(started)), usageEvery)
    for await (const bytes of started.stdout) send({ type: 'output', bytes })
    const { exitCode, signal } = await started.exited
    clearInterval(timer)
    send(usageOf(started))
    send({ type: 'ended', exitCode, signal })
  } catch (error) {
    send({ type: 'problem', problem: problemOf(error) })
  }
}

addEventListener('message', ({ data: request }: MessageEvent<ContainerRequest>) => {
  if (request.type === 'start') void run(request.setup)
  else if (request.type === 'input') void input?.write(encoder.encode(request.text)).catch(() => {})
  else container?.resize(request)
})
