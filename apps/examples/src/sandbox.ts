/** A sandbox for programs that nobody trusts: each in a container of its own, with limits, and no way to the host. */
import { ContainerHost, type ContainerOptions, createContainer } from '@vmexit/container'
import { type ProgramName, readProgram } from '@vmexit/guests'
import { Images, memoryStore, programArchive } from '@vmexit/image'

const images = new Images({ store: memoryStore() })
const host = new ContainerHost({ memory: '128 MiB' })

/** Runs a static i386 program, which may be anything, and says how it went. */
async function untrusted(name: ProgramName, limits: Partial<ContainerOptions>): Promise<string> {
  const data = readProgram(name)
  const image = await images.import(programArchive({ name, size: data.length, data: [data] }), {
    name,
    config: { Entrypoint: [`/${name}`], Cmd: ['100'], User: '1000:1000' },
  })
  await using container = await createContainer({
    ...{ image, host, name, readOnly: true, noNewPrivileges: true, capDrop: ['ALL'] },
    ...limits,
  })
  const [out, err] = await Promise.all([container.stdout, container.stderr].map(textOf))
  const { exitCode, signal } = await container.exited
  const said = `${out}\n${err}`.trim().split('\n').at(-1)
  return `${name}: ${signal ?? `exit code ${exitCode}`}, at most ${container.usage.memoryPeak} bytes: ${said}`
}

async function textOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = ''
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) text += piece
  return text
}

// Work that keeps to its limits.
console.log(await untrusted('integer', { memory: '1M', pids: 1 }))
// It forks, and may not: EAGAIN.
console.log(await untrusted('fork', { pids: 1 }))
// It wants 32 MiB, and has 4: killed.
console.log(await untrusted('random', { memory: '4M' }))
// It writes files where nothing may be written: EROFS.
console.log(await untrusted('files', {}))
// A filter of system calls: no signal handlers here.
const syscalls = [{ names: ['rt_sigaction'], action: 'SCMP_ACT_KILL_PROCESS' }] as const
console.log(await untrusted('divzero', { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls } }))

console.log(`${host.kernel.cpu.retired} instructions of programs, ${host.kernel.counts.forks} forks`)
