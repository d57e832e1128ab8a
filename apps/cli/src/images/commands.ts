/** The commands for images, and what they say about themselves. What they do is loaded when they do it: other commands start without. */
import { Command, InvalidArgumentError } from 'commander'
import type { ListFlags } from './listing.ts'
import type { ImportFlags, LoadFlags, SaveFlags } from './move.ts'
import type { RemoteFlags } from './remote.ts'

const theirs = 'a name, an ID, or the first digits of one'
const PLATFORM = [
  '--platform <os/arch>',
  'of several images; linux/386 unless stated, which is what runs here',
] as const

/** The commands. */
export function imageCommands(): readonly Command[] {
  return [
    imagesCommand(),
    pullCommand(),
    pushCommand(),
    loadCommand(),
    saveCommand(),
    importCommand(),
    exportCommand(),
    tagCommand(),
    rmiCommand(),
    inspectCommand(),
  ]
}

function imagesCommand(): Command {
  return new Command('images')
    .summary('list images')
    .description('Lists the images of this user. They are in an OCI image layout, in $XDG_STATE_HOME/vmexit/images.')
    .argument('[name]', 'a repository, for all its tags, or with a tag')
    .option('-q, --quiet', 'only IDs')
    .option('--digests', 'the digests of their manifests, too')
    .option('--no-trunc', 'whole IDs')
    .option('--json', 'one JSON array')
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit images
  $ vmexit images debian
  $ vmexit images --json | jq -r '.[] | [.repository, .tag, .size] | @tsv'
  $ vmexit rmi $(vmexit images -q)

SIZE is that of the layers, uncompressed; what several images share is kept once.`,
    )
    .action(async (name: string | undefined, flags: ListFlags) => (await import('./listing.ts')).list(name, flags))
}

function pullCommand(): Command {
  return remote(new Command('pull'))
    .summary('fetch an image from a registry')
    .description('Fetches an image by the distribution protocol. Layers that are here are not fetched again.')
    .argument('<name>', 'as in debian:12, i386/alpine, ghcr.io/owner/app@sha256:…')
    .option(...PLATFORM)
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit pull debian:12-slim
  $ vmexit pull localhost:5000/app
      a registry of this machine needs no TLS; others only with --plain-http
  $ vmexit pull registry.example/team/app --user me --password-stdin < password
  $ vmexit pull --platform linux/amd64 busybox
      to be looked at, saved and exported: it does not run here

An image that has nothing for linux/386 is refused; Debian's, Alpine's and busybox's have it.`,
    )
    .action(async (name: string, flags: RemoteFlags) => (await import('./remote.ts')).pull(name, flags))
}

function pushCommand(): Command {
  return remote(new Command('push'))
    .summary('give an image to a registry')
    .description('Gives an image to the registry that its name says. What the registry has is not sent again.')
    .argument('<name>', 'of an image that is here')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit tag app localhost:5000/app && vmexit push localhost:5000/app\n  $ vmexit push ghcr.io/me/app:1 --user me --password-stdin < token',
    )
    .action(async (name: string, flags: RemoteFlags) => (await import('./remote.ts')).push(name, flags))
}

function remote(command: Command): Command {
  return command
    .option('-q, --quiet', 'only the name')
    .option('--plain-http', 'without TLS')
    .option('-u, --user <name>', 'who you are there')
    .option('--password-stdin', 'read the password, or a token, from standard input')
}

function loadCommand(): Command {
  return new Command('load')
    .summary('load images from an archive or a layout')
    .description(
      'Loads what docker save, skopeo copy, umoci or vmexit save has written, plain or compressed by gzip or zstd.',
    )
    .option('-i, --input <path>', 'an archive, or the folder of an OCI image layout; standard input unless stated')
    .option('--name <name>', 'what the image is to be called; archives of layouts often hold a tag alone')
    .option(...PLATFORM)
    .option('-q, --quiet', 'say nothing')
    .addHelpText(
      'after',
      `
Examples:
  $ docker save i386/debian:12 | vmexit load
  $ vmexit load -i image.tar.zst
  $ vmexit load -i ./layout --name app:1`,
    )
    .action(async (flags: LoadFlags) => (await import('./move.ts')).load(flags))
}

function saveCommand(): Command {
  return new Command('save')
    .summary('write images to an archive or a layout')
    .description('Writes images as they came, with their digests: docker load, skopeo and umoci take them.')
    .argument('<image...>', theirs)
    .option('-o, --output <path>', 'compressed as its name says: .gz, .tgz, .zst; standard output unless stated')
    .option('--layout', 'make a folder instead: an OCI image layout')
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit save app:1 app:2 -o apps.tar.gz
  $ vmexit save app:1 | docker load
  $ vmexit save app:1 --layout -o app && skopeo inspect oci:app:1`,
    )
    .action(async (words: readonly string[], flags: SaveFlags) => (await import('./move.ts')).save(words, flags))
}

function importCommand(): Command {
  const list = (each: string, all: readonly string[] = []): readonly string[] => [...all, each]
  return new Command('import')
    .summary('make an image of a tree of files, or of one program')
    .description(
      'Makes an image with one layer: of a tar archive or an initramfs, plain or compressed, or of a static Linux program.',
    )
    .argument('<file>', 'an archive, a program, a guest that was fetched, or - for an archive on standard input')
    .argument('[name]', 'what the image is to be called')
    .option('-m, --message <text>', 'kept in its history')
    .option('--author <name>', 'who made it')
    .option('--cmd <arguments>', 'what a container runs unless told: a JSON array, or words', words)
    .option(
      '--entrypoint <arguments>',
      'what is put before that: a JSON array, or words; a program itself unless stated',
      words,
    )
    .option('-e, --env <name=value>', 'a variable of its environment; can be repeated', list)
    .option('-w, --workdir <path>', 'where it starts')
    .option('-u, --user <user>', 'its user, and group after a colon')
    .option('--platform <os/arch>', 'what its programs were made for; linux/386 unless stated')
    .addHelpText(
      'after',
      `
Examples:
  $ vmexit guests busybox && vmexit import busybox && vmexit run -it --rm busybox
  $ vmexit import debian-root debian:12 --cmd /bin/bash
      as \`vmexit guests debian-root\` has made it of Debian's packages
  $ debootstrap --arch i386 --variant minbase bookworm root && tar -C root -c . | vmexit import - debian:mine --cmd /bin/bash
  $ vmexit import rootfs.tar.gz alpine:mine --cmd /bin/sh -e PATH=/bin:/usr/bin
  $ vmexit import ./hello hello
      the program alone, as FROM scratch`,
    )
    .action(async (file: string, name: string | undefined, flags: ImportFlags) =>
      (await import('./move.ts')).importTree(file, name, flags),
    )
}

function exportCommand(): Command {
  return new Command('export')
    .summary('write the files of a container or an image to an archive')
    .description(
      'Writes the whole tree of files of a container, which runs or not, or of an image as one tar archive, without layers and configuration.',
    )
    .argument('<container>', `${theirs}; an image's where no container has it`)
    .option('-o, --output <file>', 'compressed as its name says: .gz, .tgz, .zst; standard output unless stated')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vmexit export web -o web.tar.gz\n  $ vmexit export debian:12 -o root.tar.zst\n  $ vmexit export app | tar -t',
    )
    .action(async (word: string, flags: SaveFlags) => (await import('./move.ts')).exportFiles(word, flags))
}

function tagCommand(): Command {
  return new Command('tag')
    .summary('give an image one more name')
    .description('Gives an image one more name. Another image that has it loses it.')
    .argument('<image>', theirs)
    .argument('<name>', 'the name')
    .addHelpText('after', '\nExamples:\n  $ vmexit tag app:1 registry.example/team/app:1')
    .action(async (word: string, name: string) => (await import('./names.ts')).tag(word, name))
}

function rmiCommand(): Command {
  return new Command('rmi')
    .summary('remove images')
    .description(
      'Takes names from images. An image goes with its last name, and layers with the last image that has them.',
    )
    .argument('<image...>', theirs)
    .option('-f, --force', 'by its ID, also one with several names')
    .addHelpText('after', '\nExamples:\n  $ vmexit rmi app:1\n  $ vmexit rmi -f 3f2b8c')
    .action(async (all: readonly string[], flags: { readonly force?: boolean }) =>
      (await import('./names.ts')).remove(all, flags),
    )
}

function inspectCommand(): Command {
  return new Command('inspect')
    .summary('print all that is known of a container, a PC or an image')
    .description('Prints a JSON array with what is known of containers and images, in the words of docker inspect.')
    .argument('<name...>', `${theirs}; an image's where nothing else has it`)
    .option('--json', 'as always')
    .addHelpText(
      'after',
      "\nExamples:\n  $ vmexit inspect web | jq -r '.[0].State.ExitCode'\n  $ vmexit inspect debian:12 | jq -r '.[0].Config.Cmd'",
    )
    .action(async (all: readonly string[]) => (await import('./listing.ts')).inspect(all))
}

/** `["/bin/sh", "-c", "a b"]`, or `/bin/sh -c a`. */
function words(given: string): readonly string[] {
  if (!given.startsWith('[')) return given.split(/\s+/).filter((word) => word !== '')
  try {
    const value: unknown = JSON.parse(given)
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  } catch {
    // It is no JSON.
  }
  throw new InvalidArgumentError('It must be words, or a JSON array of texts.')
}
