/** Puts the card into a PC, lets Debian find it with lspci, and has Debian count its interrupts. */
import { readFileSync } from 'node:fs'
import { concatenateArchives, createPc } from '@vmexit/vmexit'
import { metronome } from './part.ts'

const [, , kernel, ...initrds] = process.argv
if (kernel === undefined || initrds.length === 0) {
  console.error('usage: main.ts KERNEL INITRAMFS PCIUTILS (files of `vmexit guests`: linux-686, pciutils)')
  process.exit(2)
}

await using pc = await createPc({
  kernel: readFileSync(kernel),
  initrd: concatenateArchives(...initrds.map((file) => readFileSync(file))),
  append: 'console=ttyS0 quiet cryptomgr.notests',
  devices: [metronome()],
})
const running = pc.run({ idle: 'skip' })

/** Types a command, and returns what it printed. */
async function shell(command: string): Promise<string> {
  pc.console.write(`${command}\n`)
  await pc.console.waitFor('\n')
  return (await pc.console.waitFor('~ # ')).slice(0, -'~ # '.length).replaceAll('\r', '')
}

await pc.console.waitFor('~ # ')
console.log(await shell('lspci -nn'))

// The kernel's driver for cards that have none: it counts the interrupt, and masks it at the card until somebody
// who knows the card has served it, which here the shell does.
await shell('modprobe uio_pci_generic')
await shell('echo 1234 0be7 > /sys/bus/pci/drivers/uio_pci_generic/new_id')
const window = (await shell("lspci -s 3.0 -v 2>/dev/null | sed -n 's/.*Memory at \\([0-9a-f]*\\).*/\\1/p'")).trim()
await shell(`devmem $((0x${window} + 4)) 32 1000`)
for (let beat = 0; beat < 5; beat++) {
  await shell(`sleep 0.01; devmem $((0x${window} + 8)) 32 1; setpci -s 3.0 COMMAND=0:400`)
}
console.log(await shell('grep uio /proc/interrupts'))
pc.console.write('poweroff -f\n')
await running
