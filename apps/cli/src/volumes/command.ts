/** `vmexit volume`: named volumes, as `docker volume` has them. */
import { isVmexitError } from '@vmexit/core'
import { Command } from 'commander'
import { collect } from '../run/flag-values.ts'
import { type NamedVolume, usersOf, VolumeDirectory } from './directory.ts'

const examples = `
A volume is a folder of the host's: containers see it by \`vmexit run -v NAME:/path\`, which makes it where it is not there. What the
image has at that path is copied into a new one.`

/** The command. */
export function volumeCommand(): Command {
  const volume = new Command('volume').summary('volumes, which outlive containers').addHelpText('after', examples)
  volume
    .command('create [name]')
    .summary('make one')
    .option('-l, --label <name=value>', 'a note on it', collect)
    .action((name: string | undefined, { label = [] }: { label?: readonly string[] }) => {
      const labels = Object.fromEntries(label.map((text) => text.split(/=(.*)/s, 2).concat('') as [string, string]))
      print(new VolumeDirectory().create(name, labels).name)
    })
  volume
    .command('ls')
    .alias('list')
    .summary('list them')
    .option('-q, --quiet', 'names alone')
    .option('--json', 'as JSON')
    .action(({ quiet, json }: { quiet?: true; json?: true }) => {
      const all = new VolumeDirectory().list()
      if (json) print(JSON.stringify(all.map(described), undefined, 2))
      else if (quiet) for (const { name } of all) print(name)
      else {
        const width = Math.max(4, ...all.map(({ name }) => name.length))
        print(`${'NAME'.padEnd(width)}   CREATED                    USED BY`)
        for (const { name, created } of all)
          print(`${name.padEnd(width)}   ${created}   ${usersOf(name).join(', ')}`.trimEnd())
      }
    })
  volume
    .command('inspect <name...>')
    .summary('tell all about them, as JSON')
    .action((names: string[]) => {
      const directory = new VolumeDirectory()
      print(
        JSON.stringify(
          names.map((name) => described(directory.find(name))),
          undefined,
          2,
        ),
      )
    })
  volume
    .command('rm <name...>')
    .alias('remove')
    .summary('delete them, with what is in them')
    .option('-f, --force', 'those that are not there are no error')
    .action((names: string[], { force }: { force?: true }) => {
      const directory = new VolumeDirectory()
      for (const name of names) {
        try {
          directory.remove(name)
        } catch (error) {
          if (force && isVmexitError(error, 'volume-unknown')) continue
          throw error
        }
        print(name)
      }
    })
  volume
    .command('prune')
    .summary('delete those that no container has, and that were made without a name')
    .option('-a, --all', 'also those with a name')
    .action(({ all }: { all?: true }) => {
      const directory = new VolumeDirectory()
      for (const { name, anonymous } of directory.list()) {
        if ((!all && !anonymous) || usersOf(name).length > 0) continue
        directory.remove(name)
        print(name)
      }
    })
  return volume
}

function described({ name, created, labels, anonymous, path }: NamedVolume): object {
  return { name, created, labels, anonymous, mountpoint: path, usedBy: usersOf(name) }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
