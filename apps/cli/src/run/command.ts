/** `vmexit run`, `create` and `start`: their options, which are Docker's, and what they say about them. What they do is loaded when they do it. */
import { Command } from 'commander'
import { detachKeysOption } from '../detach-keys.ts'
import { absentFlags, refuseAbsent } from './absent-flags.ts'
import type { ContainerFlags, CreateFlags, StartFlags } from './run.ts'
import { specFlags } from './spec.ts'

const examples = `
Examples:
  $ vmexit run --rm debian:12 cat /etc/os-release
  $ vmexit run -it --rm alpine
      a shell in this terminal; Ctrl-P Ctrl-Q leaves it running
  $ vmexit run -d --name web -e DEBUG=1 app
      in the background: prints its ID; then vmexit logs -f web, vmexit exec -it web sh, vmexit stop web
  $ vmexit run -d --join web --cpu-shares 512 worker
      on the kernel of web, where it gets half as much of the CPU while both want it
  $ echo 1+1 | vmexit run -i --rm busybox bc
  $ vmexit run --memory 64M --pids-limit 20 --cpus 0.5 --read-only --cap-drop ALL app
  $ vmexit run --entrypoint /bin/sh -w /srv -u www-data app -c 'id; pwd'
  $ vmexit run --rm --json --idle skip busybox sleep 1000
      the output and every count as one JSON object; nobody waits a thousand seconds

Without --rm a container that has ended stays: vmexit ps -a, start, logs, diff, cp, commit, rm. Images come by \`vmexit pull\`, \`load\`
and \`import\`. Exit code: the program's; 128 and the number of the signal that ended it; 127 where it is not there, 126 where it cannot
be executed, 125 for what is wrong otherwise. SIGINT, SIGTERM, SIGHUP and SIGQUIT go to the program; the third kills it.`

/** The commands that make and start containers. */
export function runCommands(): readonly Command[] {
  return [runCommand(), createCommand(), startCommand()]
}

function runCommand(): Command {
  const command = making('run')
    .summary('run a program of an image in a container')
    .description(
      'Runs a program of an image, in namespaces, a root and a control group of its own, on a kernel in TypeScript and a simulated CPU.',
    )
    .option('-d, --detach', 'in the background: print its ID')
    .addOption(detachKeysOption())
    .option('--no-sig-proxy', 'signals end this command, and not the program')
    .optionsGroup('What it tells:')
    .option('--stats', 'print what was counted, on standard error')
    .option('--json', 'print one JSON object at the end, the output of the program in it')
    .addHelpText('after', examples)
    .action(async (image: string, args: string[], flags: ContainerFlags) => {
      refuseAbsent(command)
      process.exitCode = await (await import('./run.ts')).runContainer(image, args, flags)
    })
  return absentFlags(command)
}

function createCommand(): Command {
  const command = making('create')
    .summary('make a container, and do not start it')
    .description('Makes a container as `vmexit run` does, prints its ID, and leaves it to `vmexit start`.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit create --name job app ./work && vmexit cp data job:/srv && vmexit start -a job',
    )
    .action(async (image: string, args: string[], flags: CreateFlags) => {
      refuseAbsent(command)
      await (await import('./run.ts')).createContainer(image, args, flags)
    })
  return absentFlags(command)
}

function making(name: string): Command {
  const command = new Command(name)
    .argument('<image>', 'a name, an ID, or the first digits of one')
    .argument('[command...]', "the program and its arguments in the place of the image's; behind its entrypoint")
    .passThroughOptions()
    .helpOption('--help', 'display help for command')
  return specFlags(command)
    .option(
      '--join <container>',
      'on the kernel of another one that runs; RAM, seed, time and idling are those of that',
    )
    .optionsGroup('What becomes of it:')
    .option('--name <name>', 'what it is called')
    .option('--rm', 'remove it when it has ended')
}

function startCommand(): Command {
  return new Command('start')
    .summary('start containers that have ended, or were only made')
    .description('Starts containers: their programs begin anew, with the files that they had.')
    .argument('<container...>', 'names, IDs, or the first digits of them')
    .option('-a, --attach', 'print what it prints, to its end; the exit code is its')
    .option('-i, --interactive', 'and it reads standard input')
    .addOption(detachKeysOption())
    .addHelpText('after', '\nExamples:\n  $ vmexit start web db\n  $ vmexit start -ai shell')
    .action(async (words: readonly string[], flags: StartFlags) => {
      await (await import('./run.ts')).startContainers(words, flags)
    })
}
