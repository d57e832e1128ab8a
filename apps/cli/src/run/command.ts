/** `vmexit run`: its options, which are those of `docker run`, and what it says about them. What it does is loaded when it does it. */
import { VmexitError } from '@vmexit/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { ContainerFlags } from './run.ts'

const examples = `
Examples:
  $ vmexit run --rm debian:12 cat /etc/os-release
  $ vmexit run -it --rm alpine
      a shell in this terminal
  $ echo 1+1 | vmexit run -i busybox bc
  $ vmexit run --memory 64M --pids-limit 20 --cpus 0.5 --read-only --cap-drop ALL app
  $ vmexit run --entrypoint /bin/sh -e DEBUG=1 -w /srv -u www-data app -c 'id; pwd'
  $ vmexit run --json --idle skip busybox sleep 1000
      the output and every count as one JSON object; nobody waits a thousand seconds

It runs in the foreground, and nothing of it is kept: --rm is what always holds. Images come by \`vmexit pull\`, \`load\` and
\`import\`. Exit code: the program's; 128 and the number of the signal that ended it; 127 where it is not there, 126 where it cannot
be executed, 125 for what is wrong otherwise. SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the program; the third kills it.`

/** Flags of `docker run` that mean something which is not there. */
const ABSENT: readonly (readonly [flags: string, remedy: string])[] = [
  ['-d, --detach', 'leave it out: containers run in the foreground'],
  ['-p, --publish <port>', 'leave it out: containers have loopback alone, and `vmexit run-elf -p` publishes ports'],
  ['-P, --publish-all', 'leave it out: containers have loopback alone'],
  ['-v, --volume <volume>', 'put the files into an image by `vmexit import`'],
  ['--mount <mount>', 'put the files into an image by `vmexit import`'],
  ['--name <name>', 'leave it out: a container ends with this command; --hostname names what it sees'],
  ['--privileged', 'name what it needs by --cap-add'],
  ['--init', 'leave it out'],
  ['--restart <policy>', 'leave it out: nothing is kept'],
  ['--security-opt <option>', 'leave it out, or give --no-new-privileges'],
  ['--device <device>', 'leave it out: there are no devices of the host'],
]

/** The command that runs a container. */
export function runCommand(): Command {
  const command: Command = new Command('run')
    .summary('run a program of an image in a container')
    .description(
      'Runs a program of an image, in namespaces, a root and a control group of its own, on a kernel in TypeScript and a simulated CPU.',
    )
    .argument('<image>', 'a name, an ID, or the first digits of one')
    .argument('[command...]', "the program and its arguments in the place of the image's; behind its entrypoint")
    .passThroughOptions()
    .optionsGroup('What runs:')
    .option('--entrypoint <program>', "in the place of the image's entrypoint, and of its command")
    .option('-e, --env <name=value>', 'a variable of its environment; without value that of this command', collect)
    .option('-w, --workdir <path>', 'where it starts')
    .option('-u, --user <user>', 'its user, and group behind a colon: names of the image, or numbers')
    .option('-h, --hostname <name>', 'the name that it sees')
    .option('-i, --interactive', 'it reads standard input')
    .option('-t, --tty', 'it has a terminal')
    .option('--rm', 'as always: nothing is kept')
    .optionsGroup('What it may:')
    .option('-m, --memory <size>', 'memory: bytes, or with K, M, G', size)
    .option('--pids-limit <number>', 'processes and threads', whole)
    .option('--cpus <number>', 'parts of the CPU: 0.5 is every second instruction', number)
    .option('--read-only', 'it writes nothing to its root')
    .option('--cap-drop <name>', 'a capability that root has not, or ALL', collect)
    .option('--cap-add <name>', 'a capability that root has beside the usual ones, or ALL', collect)
    .option('--no-new-privileges', 'set-user-ID and the like give nothing')
    .addOption(
      new Option('--network <how>', 'its own, which is loopback alone; none means the same')
        .choices(['none', 'loopback'])
        .default('loopback'),
    )
    .optionsGroup('How it runs:')
    .addOption(
      new Option('--engine <name>', 'how the CPU is made fast; counts are equal')
        .choices(['jit', 'interpreter', 'reference'])
        .default('jit'),
    )
    .option('--ram <size>', 'RAM of the machine', '512M')
    .option('--seed <number>', 'what /dev/urandom gives', whole, 1)
    .addOption(new Option('--time <seconds>', "the time at the start, in seconds since 1970, or 'now'").argParser(time))
    .addOption(
      new Option('--idle <how>', 'while all programs wait: sleep as long, or skip to the next event')
        .choices(['sleep', 'skip'])
        .default('sleep'),
    )
    .optionsGroup('What it tells:')
    .option('--stats', 'print what was counted, on standard error')
    .option('--json', 'print one JSON object at the end, the output of the program in it')
    .helpOption('--help', 'display help for command')
    .addHelpText('after', examples)
    .action(async (image: string, args: string[], flags: ContainerFlags) => {
      refuse(command.opts())
      process.exitCode = await (await import('./run.ts')).runContainer(image, args, flags)
    })
  for (const [flags] of ABSENT) command.addOption(new Option(flags).hideHelp())
  return command
}

/** Options that are told apart from mistakes in writing, and refused. */
function refuse(given: Readonly<Record<string, unknown>>): void {
  for (const [flags, remedy] of ABSENT) {
    const option = new Option(flags)
    if (given[option.attributeName()] === undefined) continue
    process.exitCode = 125
    throw new VmexitError('run-absent', { problem: `vmexit run has no ${option.long}`, remedy })
  }
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
function whole(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.')
}
function number(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number, as 0.5.')
}
function size(text: string): string {
  if (/^[0-9]+(\.[0-9]+)?[kmgb]?(i?b)?$/i.test(text)) return text
  throw new InvalidArgumentError('It must be a size, as 64M.')
}
function time(text: string): number {
  return text === 'now' ? Math.floor(Date.now() / 1000) : whole(text)
}
