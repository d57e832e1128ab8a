/** `vmexit oci`: an OCI runtime with runc's commands and options, for tools that take one by `--runtime`. */
import { Command, InvalidArgumentError, Option } from 'commander'
import type { CreateOptions } from './create.ts'
import { defaultRoot } from './directory.ts'
import type { ExecOptions } from './execute.ts'
import type { GlobalOptions } from './global-options.ts'

const help = `
A container is a host process of its own, which waits at create and runs at start; its number is that of the state and of --pid-file, and
it ends with the program's exit code. What a config.json asks for and cannot have is refused by name. Programs are of 32 bits.

Examples:
  $ vmexit oci spec --bundle b && vmexit oci run --bundle b c1
  $ vmexit oci create --bundle b c1 && vmexit oci start c1 && vmexit oci state c1
  $ vmexit oci exec -t c1 sh
  $ podman --runtime "$(which vmexit-oci)" run --network none …
      with runtime_flags of --without mqueue, which podman always asks for`

const operations = async () => await import('./operations.ts')

/** The command. */
export function ociCommand(): Command {
  const oci: Command = new Command('oci')
    .summary('an OCI runtime: create, start, state, kill, delete')
    .description('Runs the containers of OCI bundles, as other tools ask for it.')
    .enablePositionalOptions()
    .option('--root <folder>', 'where containers are known', defaultRoot())
    .option('--log <file>', 'where errors are written, beside standard error')
    .addOption(new Option('--log-format <format>', 'how').choices(['text', 'json']).default('text'))
    .option('--debug', 'the log tells of each command')
    .option('--hooks', 'hooks of a configuration, which are programs of the host, are run', false)
    .option('--without <types>', 'mounts of these types are left out, if they are not there: mqueue', list, [])
    .option('--ram <size>', "RAM of a container's machine", '512M')
    .addOption(new Option('--systemd-cgroup', "the host's groups are not used: how their paths are written").hideHelp())
    .addOption(new Option('--cgroup-manager <name>', 'the same').hideHelp())
    .addOption(new Option('--rootless <how>', 'there is no difference').hideHelp())
    .addHelpText('after', help)
  const globals = (): GlobalOptions => oci.opts()
  const runs =
    <Args extends readonly unknown[]>(act: (globals: GlobalOptions, ...args: Args) => Promise<number>) =>
    async (...args: unknown[]): Promise<void> => {
      const { guarded } = await operations()
      // (The last argument is the command itself.)
      await guarded(globals(), () => act(globals(), ...(args.slice(0, -1) as unknown as Args)))
    }
  const creation = (command: Command): Command =>
    command
      .option('-b, --bundle <folder>', 'with config.json', '.')
      .option('--console-socket <path>', 'where the terminal is sent')
      .option('--pid-file <file>', 'where the number of the host process is written')
      .option('--preserve-fds <number>', 'none can be passed', whole)
      .addOption(new Option('--no-pivot', 'there is nothing to pivot from').hideHelp())
      .addOption(new Option('--no-new-keyring', 'there are no keyrings').hideHelp())
  creation(oci.command('create <id>').summary('create a container, which waits to be started')).action(
    runs(async (all, id: string, options: Omit<CreateOptions, keyof GlobalOptions>) =>
      (await operations()).createOnly(all, id, options),
    ),
  )
  oci
    .command('start <id>')
    .summary('run what was created')
    .action(runs(async (all, id: string) => (await operations()).start(all, id)))
  creation(
    oci
      .command('run <id>')
      .summary('create, start, wait and delete')
      .option('-d, --detach', 'do not wait')
      .option('--keep', 'do not delete'),
  ).action(
    runs(
      async (
        all,
        id: string,
        options: Omit<CreateOptions, keyof GlobalOptions> & { detach?: boolean; keep?: boolean },
      ) => (await operations()).run(all, id, options),
    ),
  )
  oci
    .command('state <id>')
    .summary('print its state, as JSON')
    .action(runs(async (all, id: string) => (await operations()).state(all, id)))
  oci
    .command('kill <id> [signal]')
    .summary('send it a signal')
    .option('-a, --all', 'to all of its processes')
    .action(
      runs(async (all, id: string, signal: string | undefined, options: { all?: boolean }) =>
        (await operations()).kill(all, id, signal ?? 'SIGTERM', options.all === true),
      ),
    )
  oci
    .command('delete <id>')
    .summary('forget what has ended')
    .option('-f, --force', 'and end it before')
    .action(
      runs(async (all, id: string, options: { force?: boolean }) =>
        (await operations()).remove(all, id, options.force === true),
      ),
    )
  oci
    .command('exec <id> [command...]')
    .summary('run a further program in it')
    .passThroughOptions()
    .option('-p, --process <file>', 'a process as config.json has it, in the place of the command')
    .option('-d, --detach', 'do not wait')
    .option('-t, --tty', 'it has a terminal')
    .option('--pid-file <file>', 'where the number of the process that stands for it is written')
    .option('--console-socket <path>', 'where the terminal is sent')
    .option('--preserve-fds <number>', 'none can be passed', whole)
    .option('--cwd <path>', 'where it starts')
    .option('-e, --env <name=value>', 'a variable', collect)
    .option('-u, --user <uid:gid>', 'who it is')
    .option('-g, --additional-gids <gid>', 'a further group', collect)
    .option('-c, --cap <name>', 'a capability beside the others', collect)
    .option('--no-new-privs', 'programs give it no more rights than it has')
    .action(
      runs(async (all, id: string, args: string[], options: Omit<ExecOptions, 'noNewPrivs'> & { newPrivs: boolean }) =>
        (await operations()).execIn(all, id, args, { ...options, noNewPrivs: !options.newPrivs }),
      ),
    )
  for (const verb of ['pause', 'resume'] as const)
    oci
      .command(`${verb} <id>`)
      .summary(verb === 'pause' ? 'let nothing of it run' : 'let it go on')
      .action(runs(async (all, id: string) => (await operations()).freeze(all, id, verb === 'pause')))
  oci
    .command('ps <id>')
    .summary('list its processes, by the numbers that they have in it')
    .addOption(new Option('-f, --format <format>').choices(['table', 'json']).default('table'))
    .action(
      runs(async (all, id: string, options: { format: 'table' | 'json' }) =>
        (await operations()).ps(all, id, options.format),
      ),
    )
  oci
    .command('list')
    .summary('list containers')
    .option('-q, --quiet', 'IDs alone')
    .addOption(new Option('-f, --format <format>').choices(['table', 'json']).default('table'))
    .action(
      runs(async (all, options: { quiet?: boolean; format: 'table' | 'json' }) =>
        (await operations()).list(all, options),
      ),
    )
  oci
    .command('spec')
    .summary('write a config.json to begin with')
    .option('-b, --bundle <folder>', 'where', '.')
    .action(runs(async (_all, options: { bundle: string }) => (await operations()).spec(options.bundle)))
  oci
    .command('features')
    .summary('print what this runtime has, as JSON')
    .action(runs(async () => (await operations()).printFeatures()))
  return oci
}

/** Processes that are started by the commands, and not by people. */
export function ociProcesses(): readonly Command[] {
  return [
    new Command('oci-host').argument('<folder>').action(async (folder: string) => (await operations()).hostOf(folder)),
    new Command('oci-exec').action(async () => await (await import('./execute.ts')).proxy()),
  ]
}

function list(value: string, before: readonly string[]): readonly string[] {
  return [...before, ...value.split(',')]
}
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
function whole(text: string): number {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}
