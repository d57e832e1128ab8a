import { readFileSync, writeFileSync, writeSync } from 'node:fs'
import { cdImage, memoryDisk, Overlay, rawImage, sparseDisk } from '@vmexit/block'
import { createPc } from '../src/index.ts'

const kernel = readFileSync('/tmp/vx/boot/x/boot/vmlinuz-6.1.0-50-686')
const initrd = readFileSync('/tmp/vx/ide/initrd.cpio')
const disk = new Overlay(rawImage(new Uint8Array(readFileSync('/tmp/vx/ide/disk.img'))))
const pc = await createPc({
  memory: '128 MiB',
  kernel,
  initrd,
  append: 'console=ttyS0 mitigations=off cryptomgr.notests ' + (process.argv[2] ?? ''),
  disks: [disk, sparseDisk(64 << 20)],
  cd: cdImage(new Uint8Array(readFileSync('/tmp/vx/ide/cd.iso'))),
  display: 'none',
} as never)
pc.console.onOutput((b) => void writeSync(1, b))
const t = performance.now()
const stop = await pc.run({ idle: 'return', instructions: Number(process.argv[3] ?? 20e9) })
console.error(stop.reason, (performance.now() - t) / 1000, 's', pc.machine.get('clock').now, disk.changedBytes)
for (const [k, v] of Object.entries(pc.machine.get('counters').snapshot()))
  if (/dma|unclaimed/.test(k)) console.error(k, v)
disk.commit
const all = new Uint8Array(disk.sectors * 512)
disk.read(0, all)
writeFileSync('/tmp/vx/ide/after.img', all)
