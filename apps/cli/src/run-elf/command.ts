/** `vmexit run-elf` and `vmexit strace`: their options, and what they say about them. */
import type { AllowRule } from '@vmexit/net/node'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type PublishedPort, parseAllowance, parsePublication } from './network.ts'
import { type RunFlags, runElf } from './run.ts'

const examples = `
Examples:
  $ vmexit run-elf ./hello
      a static i386 program of this machine, in an empty file system
  $ vmexit run-elf --root rootfs /bin/sh
      a shell with job control, in a copy of the folder rootfs
  $ vmexit run-elf --root debian-root /bin/bash -l
      in the files of a guest that \`vmexit guests\` has fetched: debian-root or busybox
  $ echo 1+1 | vmexit run-elf --root rootfs --stats /usr/bin/bc
  $ vmexit run-elf --root rootfs --json --idle skip /bin/sleep 1000
      the output and every count as one JSON object; nobody waits a thousand seconds
  $ vmexit strace --root rootfs /bin/true
      each system call as strace prints it
  $ vmexit run-elf --root rootfs -p 8080:80 httpd -f
      http://127.0.0.1:8080 of this machine is served by the program
  $ vmexit run-elf --root rootfs --allow deb.debian.org:80 wget http://deb.debian.org/debian/README
      it reaches this host by this port, and nothing else

What the program writes to its files is gone at the end. Exit code: the program's; 128 and the number of the signal that
ended it. Errors of vmexit itself: 1.`

/** The command that runs a program. */
export function runElfCommand(): Command {
  return withOptions(new Command('run-elf'))
    .summary('run a Linux program')
    .description(
      'Runs one i386 Linux program, static or dynamic, or a script, on a kernel in TypeScript and a simulated CPU. Its streams are those of this command.',
    )
    .option('--strace', 'print system calls on standard error, as strace does')
    .addHelpText('after', examples)
    .action(async (program: string, args: string[], flags: RunFlags) => {
      process.exitCode = await runElf(program, args, flags)
    })
}

/** The same with `--strace`. */
export function straceCommand(): Command {
  return withOptions(new Command('strace'))
    .summary('print the system calls of a Linux program')
    .description('As `vmexit run-elf --strace`.')
    .addHelpText('after', examples)
    .action(async (program: string, args: string[], flags: RunFlags) => {
      process.exitCode = await runElf(program, args, { ...flags, strace: true })
    })
}

function withOptions(command: Command): Command {
  return command
    .argument('<program>', 'the program: a file of this machine, or with --root a path in there')
    .argument('[arguments...]', 'its arguments')
    .passThroughOptions()
    .optionsGroup('What it finds:')
    .option(
      '--root <path>',
      'a folder, a tar or cpio archive, or a guest: its file system; of several a later one lies over the others',
      collect,
    )
    .option('--cwd <path>', 'where it starts; / unless stated')
    .option('-e, --env <name=value>', 'a variable of its environment; without value that of this command', collect)
    .option('--uid <number>', 'its user', whole)
    .option('--gid <number>', 'its group', whole)
    .optionsGroup('Its network, which is loopback alone unless stated:')
    .addOption(
      new Option('--network <how>', 'none, or a card at a gateway to this machine').choices(['none', 'gateway']),
    )
    .option(
      '-p, --publish <[address:]port:port[/udp]>',
      'a port of this machine that leads to one of the program; 0 for one that is free, 127.0.0.1 unless stated',
      published,
    )
    .option(
      '--allow <host[:port[-port]][/udp]>',
      'a name, address or network that it may reach; 10.0.2.2 is this machine',
      allowed,
    )
    .optionsGroup('How it runs:')
    .addOption(
      new Option('--engine <name>', 'how the CPU is made fast; counts are equal')
        .choices(['jit', 'interpreter', 'reference'])
        .default('jit'),
    )
    .option('-m, --memory <size>', 'RAM: bytes, or with K, M, G, KiB, MiB, GiB', '512M')
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
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
function published(text: string, before: readonly PublishedPort[] = []): readonly PublishedPort[] {
  const publication = parsePublication(text)
  if (publication !== undefined) return [...before, publication]
  throw new InvalidArgumentError('It must be as 8080:80, 127.0.0.1:8080:80 or 5353:53/udp.')
}
function allowed(text: string, before: readonly AllowRule[] = []): readonly AllowRule[] {
  const rule = parseAllowance(text)
  if (rule !== undefined) return [...before, rule]
  throw new InvalidArgumentError('It must be as deb.debian.org:80, 192.0.2.0/24 or 10.0.2.2:8000-8100.')
}
function whole(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.')
}
function time(text: string): number {
  return text === 'now' ? Math.floor(Date.now() / 1000) : whole(text)
}
