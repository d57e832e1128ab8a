/** `vmexit run`: its options, which are those of `docker run`, and what it says about them. What it does is loaded when it does it. */
import { Command } from 'commander'
import { absentFlags, refuseAbsent } from './absent-flags.ts'
import type { ContainerFlags } from './run.ts'
import { specFlags } from './spec.ts'

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
  specFlags(command)
    .option('--rm', 'as always: nothing is kept')
    .optionsGroup('What it tells:')
    .option('--stats', 'print what was counted, on standard error')
    .option('--json', 'print one JSON object at the end, the output of the program in it')
    .helpOption('--help', 'display help for command')
    .addHelpText('after', examples)
    .action(async (image: string, args: string[], flags: ContainerFlags) => {
      refuseAbsent(command)
      process.exitCode = await (await import('./run.ts')).runContainer(image, args, flags)
    })
  return absentFlags(command)
}
