/** What `vmexit inspect` says of an instance, in Docker's words where it has them. */
import { readRecord } from '../hosted/instance.ts'
import type { Found } from '../hosted/state-directory.ts'
import { isAlive, type Status, statusOf } from '../hosted/status.ts'
import { imageIdOf } from './containers.ts'
import type { ContainerSpec } from './spec.ts'

export async function aboutInstance(found: Found): Promise<object> {
  const { id, name, kind, what, created, options } = found.instance
  const status = await statusOf(found)
  const common = {
    ...{ Id: id, Name: name, Kind: kind, What: what, Created: created, Folder: found.folder },
    State: stateOf(found, status),
  }
  if (imageIdOf(found) === undefined) return { ...common, Options: options }
  return { ...common, ...aboutContainer(options as ContainerSpec, found) }
}

function stateOf({ folder }: Found, status: Status): object {
  const host = readRecord(folder, 'host')
  return {
    Status: status.state,
    Running: isAlive(status),
    Paused: status.state === 'paused',
    Pid: isAlive(status) ? status.pid : 0,
    ...(host !== undefined && { StartedAt: host.started }),
    ...(status.state === 'exited' && {
      ExitCode: status.exitCode,
      Error: status.word ?? '',
      FinishedAt: status.at,
      Report: status.report ?? {},
    }),
  }
}

function aboutContainer(spec: ContainerSpec, { instance: { id, remove } }: Found): object {
  const { image, args, entrypoint, env, cwd, user, hostname, interactive, tty, join, machine, ...limits } = spec
  return {
    Image: image.id,
    Config: {
      Image: image.name,
      Hostname: hostname ?? id.slice(0, 12),
      ...(entrypoint !== undefined && { Entrypoint: [entrypoint] }),
      ...(args.length > 0 && { Cmd: args }),
      Env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
      WorkingDir: cwd ?? '',
      User: user ?? '',
      OpenStdin: interactive,
      StdinOnce: spec.once === true,
      Tty: tty,
    },
    HostConfig: { AutoRemove: remove === true, ...limits, once: undefined },
    Machine: machine,
    Join: join ?? '',
  }
}
