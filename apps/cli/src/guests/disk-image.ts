/**
 * A hard disk with one FAT16 partition, from which GRUB boots a kernel. No mounts, loop devices or root are needed.
 *
 * Layout as GRUB expects it for a partition table of PCs (GRUB manual, "BIOS installation"): boot.img in sector 0
 * around the table, core.img in the gap from sector 1 on, the partition from 1 MiB on.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import type { Tool } from './tools.ts'

const sectorBytes = 512
const firstSector = 2048
const totalSectors = 65_536

/** Where the pieces of an image of a bootable disk or CD are. */
export interface BootableSystem {
  readonly kernel: string
  readonly initramfs: string
  readonly memtest: string
}

/** The modules of GRUB in its core image: what is needed to find and read its own partition, and to boot Linux. */
// biome-ignore format: a list
const grubModules = [
  'biosdisk', 'part_msdos', 'fat', 'normal', 'configfile', 'linux', 'linux16', 'serial', 'terminal', 'minicmd',
  'echo', 'ls', 'cat', 'test', 'halt', 'reboot',
]

/** What GRUB does: its menu is on screen and serial port, for a second, in which a key keeps it there. */
const grubConfiguration = `serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1

menuentry "Debian GNU/Linux" {
  linux /boot/vmlinuz console=tty0 console=ttyS0 cryptomgr.notests
  initrd /boot/initrd.gz
}

menuentry "memtest86+" {
  linux16 /boot/memtest console=ttyS0,115200
}
`

/**
 * The master boot record: GRUB's boot.img with a table of one active FAT16 partition (type 0x0e, addressed by LBA).
 * Its field at 0x5c, where the core image begins, is 1 as GRUB builds it. Throws `guests-boot-sector`.
 */
export function masterBootRecord(bootImage: Uint8Array, sectors: number = totalSectors): Uint8Array {
  if (bootImage.length !== sectorBytes) {
    throw new VmexitError('guests-boot-sector', {
      problem: `GRUB's boot.img has ${bootImage.length} bytes, and a sector has ${sectorBytes}`,
      remedy: 'delete grub-pc-bin from the packages folder, so that it is fetched anew',
    })
  }
  const record = Uint8Array.from(bootImage)
  const view = new DataView(record.buffer)
  view.setUint32(0x1b8, 0x564d_4558, true) // the disk's signature, which operating systems know it by
  view.setUint16(0x1bc, 0, true)
  record.fill(0, 0x1be, 0x1fe)
  // Cylinder, head and sector are the greatest there are: what is meant are the LBA fields behind them.
  record.set([0x80, 0xfe, 0xff, 0xff, 0x0e, 0xfe, 0xff, 0xff], 0x1be)
  view.setUint32(0x1c6, firstSector, true)
  view.setUint32(0x1ca, sectors - firstSector, true)
  view.setUint16(0x1fe, 0xaa55, true)
  return record
}

/** Makes the image `file` (32 MiB, sparse). `scratch` is a folder for what is made on the way. */
export async function buildDisk(
  file: string,
  { kernel, initramfs, memtest }: BootableSystem,
  { tool, grub, scratch }: { tool: Tool; grub: string; scratch: string },
): Promise<void> {
  const core = join(scratch, 'core.img')
  const prefix = '(hd0,msdos1)/boot/grub'
  await tool('grub-mkimage', ['-d', grub, '-O', 'i386-pc', '-p', prefix, '-o', core, ...grubModules])
  const coreImage = readFileSync(core)
  if (coreImage.length > (firstSector - 1) * sectorBytes) {
    throw new VmexitError('guests-boot-sector', {
      problem: `GRUB's core image has ${coreImage.length} bytes and does not fit before the partition`,
      remedy: 'fetch grub-pc-bin and grub-common anew with --refresh',
    })
  }
  const image = openSync(file, 'w')
  try {
    ftruncateSync(image, totalSectors * sectorBytes)
    writeSync(image, masterBootRecord(readFileSync(join(grub, 'boot.img'))), 0, sectorBytes, 0)
    writeSync(image, coreImage, 0, coreImage.length, sectorBytes)
  } finally {
    closeSync(image)
  }
  const configuration = join(scratch, 'grub.cfg')
  writeFileSync(configuration, grubConfiguration)

  const partition = `${file}@@${firstSector * sectorBytes}`
  const mtool = (command: string, ...args: string[]) => tool('mtools', ['-c', command, '-i', partition, ...args])
  const geometry = ['-T', String(totalSectors - firstSector), '-h', '255', '-s', '63', '-H', String(firstSector)]
  await mtool('mformat', ...geometry, '-c', '4', '-v', 'VMEXIT', '-N', '564d4558', '::')
  await mtool('mmd', '::/boot', '::/boot/grub')
  await mtool('mcopy', kernel, '::/boot/vmlinuz')
  await mtool('mcopy', initramfs, '::/boot/initrd.gz')
  await mtool('mcopy', memtest, '::/boot/memtest')
  await mtool('mcopy', configuration, '::/boot/grub/grub.cfg')
}
