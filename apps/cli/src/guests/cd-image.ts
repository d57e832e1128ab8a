/** A CD that boots through El Torito without emulation (its specification 1.0): ISOLINUX, and a kernel. */
import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BootableSystem } from './disk-image.ts'
import { imageTime, type Tool } from './tools.ts'

/** What ISOLINUX does: the first label at once, with messages on screen and serial port. */
const isolinuxConfiguration = `serial 0 115200
default linux
prompt 0
timeout 1

label linux
  linux /boot/vmlinuz
  append initrd=/boot/initrd.gz console=tty0 console=ttyS0 cryptomgr.notests

label memtest
  linux /boot/memtest
  append console=ttyS0,115200
`

/** Makes the image `file`. `loader` and `library` are the files isolinux.bin and ldlinux.c32 of SYSLINUX. */
export async function buildCd(
  file: string,
  { kernel, initramfs, memtest }: BootableSystem,
  { tool, loader, library, scratch }: { tool: Tool; loader: string; library: string; scratch: string },
): Promise<void> {
  const tree = join(scratch, 'cd')
  for (const folder of ['', 'boot', 'isolinux']) mkdirSync(join(tree, folder), { recursive: true })
  copyFileSync(kernel, join(tree, 'boot/vmlinuz'))
  copyFileSync(initramfs, join(tree, 'boot/initrd.gz'))
  copyFileSync(memtest, join(tree, 'boot/memtest'))
  copyFileSync(loader, join(tree, 'isolinux/isolinux.bin'))
  copyFileSync(library, join(tree, 'isolinux/ldlinux.c32'))
  writeFileSync(join(tree, 'isolinux/isolinux.cfg'), isolinuxConfiguration)
  for (const path of ['boot', 'isolinux', '.']) utimesSync(join(tree, path), imageTime, imageTime)
  const boot = ['-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat', '-no-emul-boot', '-boot-load-size', '4']
  await tool('xorriso', [
    ...[
      '-no_rc',
      '-as',
      'mkisofs',
      '-quiet',
      '-V',
      'VMEXIT',
      '-R',
      '-J',
      '-uid',
      '0',
      '-gid',
      '0',
      '--set_all_file_dates',
      `=${imageTime}`,
    ],
    ...[...boot, '-boot-info-table', '-o', file, tree],
  ])
}
