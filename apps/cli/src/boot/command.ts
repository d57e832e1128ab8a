/** `vmexit boot`: its options, and what it says about them. */

import { VmexitError } from '@vmexit/core'
import { mmuNames, techniqueNames } from '@vmexit/vmexit'
import { Command, InvalidArgumentError, Option } from 'commander'
import { boot } from './boot.ts'
import { bootSeveral } from './boot-several.ts'
import { detach } from './detach.ts'
import { bootable, withBios, withGuest } from './fetched.ts'
import type { BootFlags } from './flags.ts'

const examples = `
Examples:
  $ vmexit guests && vmexit boot linux-686
      fetches Debian's kernels, once; then a shell in this terminal: Ctrl-A x leaves
  $ vmexit boot --kernel vmlinuz --initrd initramfs.gz --append console=ttyS0
  $ vmexit boot --bios bios.bin --vga-bios vgabios-stdvga.bin --disk debian.img --snapshot
      boots from a disk image, and keeps what is written to it in memory
  $ vmexit boot --multiboot kernel.elf --module initrd.img --json
      the console's text and every count as one JSON object
  $ vmexit boot --rom test386.bin --engine reference --stats --screenshot end.png
      a test ROM, what the hardware counted, and a picture of the screen at the end
  $ vmexit boot linux-686 --technique vtx --mmu nested-paging --stats
      the same PC as a VM under VT-x: its exits by reason, and what the machine below it counted
  $ vmexit boot linux-686 --technique software-emulation --json
      the same PC interpreted by a VMM: all its instructions are counted as emulated
  $ vmexit boot linux-686 --detach --name web && vmexit attach web
      in the background, in a process of its own that ps and top show as 'vmexit web …'
  $ vmexit boot linux-686 --vms 2 --weights 3,1 --append '-- sh -c "dmesg | tail -n 1"'
      two VMs on one machine: the first has turns three times as long
  $ echo 'uname -a; poweroff -f' | vmexit boot --kernel vmlinuz --initrd initramfs.gz --append console=ttyS0

Exit code: what the guest writes to port 0xf4, as (value * 2) + 1; else 1 if its CPU shut down (triple fault) or faults
without end, 130 after Ctrl-C, 128 and its number after another signal; else 0. Errors of vmexit itself: 1.

In a terminal, Ctrl-A is a prefix: x leaves, p presses the power button, s shows the counts, Ctrl-A or a sends Ctrl-A.`

/** The command. */
export function bootCommand(): Command {
  const command = new Command('boot')
    .summary('boot a guest')
    .description('Boots a guest on a simulated PC. Its serial port is this terminal, or standard input and output.')
    .argument('[guest]', `a guest that \`vmexit guests\` fetched: ${bootable.join(', ')}`)
  return withPc(command)
    .optionsGroup('How the guest shares the machine:')
    .addOption(
      new Option('--technique <name>', 'native: the guest owns the machine; else it is a VM on one')
        .choices(techniqueNames)
        .default('native'),
    )
    .addOption(
      new Option('--mmu <name>', 'how the page tables of a VM are followed, where the technique takes it').choices(
        mmuNames,
      ),
    )
    .addOption(
      new Option('--nested-pages <size>', 'with nested paging, what its tables map memory by (default: 4K)').choices([
        '4K',
        '2M',
      ]),
    )
    .option(
      '--vms <number>',
      'so many such VMs on one machine, under vtx unless stated; lines have vm1, vm2 … before them',
      wholePositive,
    )
    .option('--weights <numbers>', 'with --vms, how long their turns are, such as 3,1', weights)
    .optionsGroup('How it runs:')
    .option('-d, --detach', 'in the background: prints its ID, which `vmexit ps`, `logs`, `attach` and others take')
    .option('--name <name>', 'with --detach, what they call it')
    .option('--realtime', 'virtual seconds last as long as real ones')
    .addOption(
      new Option('--idle <how>', 'while the guest waits: sleep as long, or skip to the next event')
        .choices(['sleep', 'skip'])
        .default('sleep'),
    )
    .option('--no-reboot', 'end when the guest resets')
    .option('--instructions <number>', 'end after so many', wholePositive)
    .option('--until <seconds>', 'end at this virtual time', positive)
    .option('--restore <file>', 'go on from a saved state; the other options must be those of then')
    .option('--save <file>', 'save the state at the end')
    .optionsGroup('What it tells:')
    .option('--stats', 'print what the hardware counted, on standard error')
    .option('--json', 'print one JSON object at the end, the text of the console in it')
    .option('--screenshot <file>', 'write a PNG of the screen at the end')
    .option('--firmware-log <file>', 'write what the guest prints to ports 0xe9 and 0x402')
    .option('--verbose', 'say what is put where in memory')
    .addHelpText('after', examples)
    .action(async (guest: string | undefined, given: BootFlags, command: Command) => {
      const several = given.vms !== undefined
      const technique = several && command.getOptionValueSource('technique') === 'default' ? 'vtx' : given.technique
      const flags = { ...given, technique }
      checkGoesWith('weights', flags, 'vms')
      checkGoesWith('name', flags, 'detach')
      const whole = guest === undefined ? withBios(flags) : withGuest(guest, flags)
      if (whole.detach) process.stdout.write(`${await detach(guest, whole)}\n`)
      else process.exitCode = several ? await bootSeveral(whole) : await boot(whole)
    })
}

/** Throws a {@link VmexitError} `boot-options` for a flag without what it goes with. */
function checkGoesWith(flag: 'weights' | 'name', flags: BootFlags, other: 'vms' | 'detach'): void {
  if (flags[flag] === undefined || flags[other] !== undefined) return
  throw new VmexitError('boot-options', {
    problem: `--${flag} goes with --${other}`,
    remedy: 'leave it out, or give what it goes with',
  })
}

/** Adds what a PC is made of: what it boots, its drives, and its hardware. */
export function withPc(command: Command): Command {
  return command
    .optionsGroup('What to boot instead (one of these):')
    .option('--kernel <file>', 'a Linux kernel: bzImage or ELF')
    .option('--initrd <file>', 'an initial RAM disk for --kernel; several are put together', collect)
    .option('--append <text>', 'the command line for --kernel or --multiboot')
    .option('--multiboot <file>', 'a Multiboot 1 kernel')
    .option('--module <file [text]>', 'a module for --multiboot, with its command line; may be repeated', collect)
    .option('--rom <file>', 'a raw ROM, below 1 MiB and below 4 GiB; starts at the reset vector')
    .option('--bios <file>', "a BIOS, such as the 128 KB bios.bin of Debian's seabios; boots from the disks")
    .option('--vga-bios <file>', 'the option ROM of the display, such as vgabios-stdvga.bin')
    .optionsGroup('Drives:')
    .option('--disk <file>', 'a disk image; may be repeated', collect)
    .option('--cd <file>', 'a CD image')
    .option('--floppy <file>', 'a floppy image; may be repeated', collect)
    .option('--snapshot', 'keep what is written to disks and floppies in memory, and the files as they are')
    .addOption(new Option('--boot-order <devices>', 'what a BIOS tries, such as cdrom,disk').argParser(bootOrder))
    .optionsGroup('The PC:')
    .option('-m, --memory <size>', 'RAM: bytes, or with K, M, G, KiB, MiB, GiB', '128M')
    .addOption(
      new Option('--engine <name>', 'how the CPU is made fast; counts are equal')
        .choices(['jit', 'interpreter', 'reference'])
        .default('jit'),
    )
    .addOption(new Option('--model <name>', 'what CPUID says').choices(['i386', '486', 'pentium', 'pentium-m']))
    .option('--vmx', 'VT-x in the CPU, for a guest that is a hypervisor itself')
    .addOption(
      new Option('--interrupt-controller <name>', 'local and I/O APIC, or only the 8259s')
        .choices(['apic', 'pic'])
        .default('apic'),
    )
    .addOption(
      new Option(
        '--display <mode>',
        'text, none, or a framebuffer such as 800x600x32 (default: text; under vtx none)',
      ).argParser(display),
    )
    .option('--frequency <number>', 'instructions in a virtual second', positive)
    .option('--time <seconds>', "the real-time clock at power-on, in seconds since 1970, or 'now'", time)
    .option('--seed <number>', 'seeds what is random in the machine', whole, 0)
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function positive(text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

export function wholePositive(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

function weights(text: string): readonly number[] {
  return text.split(',').map(positive)
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.')
}

function time(text: string): number {
  return text === 'now' ? Math.floor(Date.now() / 1000) : whole(text)
}

function bootOrder(text: string): string[] {
  const devices = text.split(',')
  if (devices.every((device) => ['disk', 'cdrom', 'floppy'].includes(device)) && devices.length <= 3) return devices
  throw new InvalidArgumentError('It must be at most three of disk, cdrom and floppy, with commas between them.')
}

function display(text: string): BootFlags['display'] {
  if (text === 'text' || text === 'none') return text
  const match = /^(\d{2,4})x(\d{2,4})x(16|24|32)$/.exec(text)
  if (match === null)
    throw new InvalidArgumentError('It must be text, none, or WIDTHxHEIGHTxDEPTH with a depth of 16, 24 or 32.')
  const [width, height, depth] = match.slice(1).map(Number)
  return { width: width!, height: height!, depth: depth as 16 | 24 | 32 }
}
