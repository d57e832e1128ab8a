/** The commands that deal with containers, and what they say about themselves. What they do is loaded when they do it. */
import { Command } from 'commander'
import { detachKeysOption } from '../detach-keys.ts'
import { seconds } from '../hosted/end-commands.ts'
import type { CommitFlags } from './commit.ts'
import type { CopyFlags } from './copy.ts'
import type { ExecFlags } from './exec.ts'
import { collect } from './flag-values.ts'

const theirs = 'names, IDs, or the first digits of them'
const one = 'a name, an ID, or its first digits'

export function containerCommands(): readonly Command[] {
  return [
    execCommand(),
    topCommand(),
    pauseCommand(),
    unpauseCommand(),
    restartCommand(),
    diffCommand(),
    copyCommand(),
    commitCommand(),
  ]
}

function execCommand(): Command {
  return new Command('exec')
    .summary('run a further program in a container')
    .description(
      'Runs a further program in a container that runs, with its files, its namespaces, its limits and its rights.',
    )
    .argument('<container>', one)
    .argument('<command...>', 'the program and its arguments')
    .passThroughOptions()
    .option('-i, --interactive', 'it reads standard input')
    .option('-t, --tty', 'it has a terminal')
    .option('-e, --env <name=value>', "a variable beside the container's; without value that of this command", collect)
    .option('-w, --workdir <path>', 'where it starts')
    .option('-u, --user <user>', 'its user, and group behind a colon')
    .option('-d, --detach', 'do not wait for it; what it prints is for nobody')
    .addOption(detachKeysOption())
    .addHelpText(
      'after',
      `
Exit code: the program's; 127 where it is not there, 126 where it cannot be executed, 125 for what is wrong otherwise. Whoever leaves
it, or is killed, leaves it running.

Examples:
  $ vmexit exec -it web sh
  $ vmexit exec -u www-data -w /srv web ls -l
  $ tar c data | vmexit exec -i web tar x -C /srv`,
    )
    .action(async (word: string, args: readonly string[], flags: ExecFlags) => {
      process.exitCode = await (await import('./exec.ts')).exec(word, args, flags)
    })
}

function topCommand(): Command {
  return new Command('top')
    .summary('list the processes of a container')
    .description('Lists what runs in a container, by the numbers that it has for them.')
    .argument('<container>', one)
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExamples:\n  $ vmexit top web\n  $ vmexit top web --json | jq .[].command')
    .action(async (word: string, flags: { readonly json?: true }) => (await import('./look.ts')).top(word, flags))
}

function pauseCommand(): Command {
  return new Command('pause')
    .summary('let containers stand still')
    .description('Freezes all programs of containers. Others of the same kernel run on.')
    .argument('<container...>', theirs)
    .addHelpText('after', '\nExamples:\n  $ vmexit pause web && vmexit ps && vmexit unpause web')
    .action(async (words: readonly string[]) => (await import('./look.ts')).pause(words, 'pause'))
}

function unpauseCommand(): Command {
  return new Command('unpause')
    .summary('let paused containers go on')
    .description('Lets the programs of paused containers go on.')
    .argument('<container...>', theirs)
    .addHelpText('after', '\nExamples:\n  $ vmexit unpause web')
    .action(async (words: readonly string[]) => (await import('./look.ts')).pause(words, 'unpause'))
}

function restartCommand(): Command {
  return new Command('restart')
    .summary('stop containers and start them')
    .description('Stops containers as `vmexit stop` does, and starts them again, with what they have changed.')
    .argument('<container...>', theirs)
    .option('-t, --time <seconds>', 'how long to wait for each', seconds, 10)
    .addHelpText('after', '\nExamples:\n  $ vmexit restart -t 60 web')
    .action(async (words: readonly string[], { time }: { readonly time: number }) =>
      (await import('./look.ts')).restart(words, time),
    )
}

function diffCommand(): Command {
  return new Command('diff')
    .summary('list what a container has changed')
    .description("Lists files that a container has added (A), changed (C) and deleted (D) on top of its image's.")
    .argument('<container>', one)
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExamples:\n  $ vmexit diff web\n  $ vmexit diff web --json | jq -r .[].path')
    .action(async (word: string, flags: { readonly json?: true }) => (await import('./look.ts')).diff(word, flags))
}

function copyCommand(): Command {
  return new Command('cp')
    .summary('copy files from and to a container')
    .description('Copies files and folders between a container, which runs or not, and this machine.')
    .argument('<from>', 'a path, CONTAINER:PATH, or - for a tar archive on standard input')
    .argument('<to>', 'a path, CONTAINER:PATH, or - for a tar archive on standard output')
    .option('-a, --archive', 'owners stay what they are; else copies are of root there, and of you here')
    .option('-L, --follow-link', 'a link is copied as what it leads to')
    .option('-q, --quiet', 'say nothing')
    .addHelpText(
      'after',
      `
As with cp(1) and Docker: what there is as a folder is copied into; PATH/. means what is in a folder, without itself. Missing folders
above are not made. Write ./a:b for a file of this machine with a colon.

Examples:
  $ vmexit cp web:/var/log/messages .
  $ vmexit cp site/. web:/srv/www
  $ vmexit cp web:/srv - | tar -t
  $ tar c data | vmexit cp - web:/srv`,
    )
    .action(async (from: string, to: string, flags: CopyFlags) => (await import('./copy.ts')).copy(from, to, flags))
}

function commitCommand(): Command {
  return new Command('commit')
    .summary('make an image of what a container has changed')
    .description('Makes an image of the image of a container and one more layer: what it has changed, at this moment.')
    .argument('<container>', one)
    .argument('[name]', 'what the image is to be called')
    .option('-m, --message <text>', 'kept in its history')
    .option('-a, --author <name>', 'who made it')
    .option(
      '-c, --change <instruction>',
      'as in a Dockerfile: CMD, ENTRYPOINT, ENV, WORKDIR, USER; can be repeated',
      collect,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit commit web app:2
  $ vmexit commit -m 'with data' -c 'CMD ["serve", "/srv"]' -c 'ENV PORT=80' web app:3`,
    )
    .action(async (word: string, name: string | undefined, flags: CommitFlags) =>
      (await import('./commit.ts')).commit(word, name, flags),
    )
}
