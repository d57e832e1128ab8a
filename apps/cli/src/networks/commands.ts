/** `vmexit network`: networks of containers, each of which may be in a host process of its own. */
import { isVmexitError } from '@vmexit/core'
import { Command } from 'commander'
import { table } from '../hosted/table.ts'
import type { NetworkRecord } from './record.ts'

const examples = `
Examples:
  $ vmexit network create shop
  $ vmexit run -d --name db --network shop --network-alias database image
  $ vmexit run --rm --network shop busybox wget -O - http://database:80/
  $ vmexit network inspect shop && vmexit network rm shop

Containers on one network reach each other, by name and by address; those of two networks do not, and none reaches anything
outside that no --allow of its own names. A network has a switch, in a host process that \`vmexit ps\` shows as network-NAME: it is
started for the first container, and ends when nobody is on the network any more.`

/** The command. What it needs is loaded when it does something. */
export function networkCommand(): Command {
  const command = new Command('network')
    .summary('networks of containers')
    .description('Makes networks that containers of several processes join, and deals with them.')
    .addHelpText('after', examples)
  command
    .command('create')
    .description('Makes a network, and prints its name.')
    .argument('<name>')
    .option('--subnet <subnet>', 'its addresses, as 10.90.0.0/24, of which the first is the gateway')
    .action(async (name: string, { subnet }: { readonly subnet?: string }) => {
      const { Networks } = await import('./record.ts')
      process.stdout.write(`${new Networks().create(name, subnet).name}\n`)
    })
  command
    .command('ls')
    .alias('list')
    .description('Lists networks, and how many containers are on each.')
    .option('-q, --quiet', 'names alone')
    .option('--json', 'one JSON array')
    .action(async (flags: { readonly quiet?: true; readonly json?: true }) => {
      const { Networks } = await import('./record.ts')
      const records = new Networks().list()
      if (flags.quiet) {
        for (const { name } of records) process.stdout.write(`${name}\n`)
        return
      }
      // One whose switch does not answer is listed all the same.
      const all = await Promise.all(
        records.map((record) => described(record).catch(() => ({ ...record, containers: undefined }))),
      )
      if (flags.json) {
        process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`)
        return
      }
      const rows = all.map(({ id, name, subnet, containers }) => [
        id,
        name,
        subnet,
        containers === undefined ? '?' : String(containers.length),
      ])
      process.stdout.write(table([['NETWORK ID', 'NAME', 'SUBNET', 'CONTAINERS'], ...rows]))
    })
  command
    .command('inspect')
    .description('Prints networks as JSON: their addresses, and who is on them.')
    .argument('<network...>')
    .action(async (names: readonly string[]) => {
      const { Networks } = await import('./record.ts')
      const networks = new Networks()
      const all = await Promise.all(names.map((name) => described(networks.find(name))))
      process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`)
    })
  command
    .command('rm')
    .alias('remove')
    .description('Removes networks that nobody is on.')
    .argument('<network...>')
    .option('-f, --force', 'take containers that are on it off it')
    .action(async (names: readonly string[], { force = false }: { readonly force?: boolean }) => {
      const { removeNetwork } = await import('./remove.ts')
      for (const name of names) {
        try {
          await removeNetwork(name, force)
          process.stdout.write(`${name}\n`)
        } catch (error) {
          if (!isVmexitError(error)) throw error
          process.stderr.write(`vmexit: ${error.message}\n`)
          process.exitCode = 1
        }
      }
    })
  return command
}

/** `vmexit port`. */
export function portCommand(): Command {
  return new Command('port')
    .summary('ports of this machine that lead to a container')
    .description('Prints the ports of this machine that lead to a container that runs, or to one of its ports.')
    .argument('<container>', 'a name, an ID, or the first digits of one')
    .argument('[port]', 'one of its ports, as 80 or 53/udp')
    .action(async (word: string, wanted: string | undefined) => {
      await (await import('./port.ts')).port(word, wanted)
    })
}

async function described(record: NetworkRecord) {
  const { membersOf } = await import('./switch-process.ts')
  const { id, name, subnet, created } = record
  return { id, name, subnet, created, containers: await membersOf(record) }
}
