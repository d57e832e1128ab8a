import { readFileSync, writeSync } from 'node:fs'
import { cdImage, memoryDisk, Overlay, rawImage, sparseDisk } from '@vmexit/block'
import { createPc } from '../src/index.ts'

const which = process.argv[2] ?? 'cd'
const iso = new Uint8Array(readFileSync('/tmp/vx/ide/grub.iso'))
const data = new Overlay(rawImage(new Uint8Array(readFileSync('/tmp/vx/ide/disk.img'))))
const pc = await createPc({
  memory: '128 MiB',
  bios: readFileSync('/usr/share/seabios/bios-256k.bin'),
  ...(which === 'cd'
    ? { cd: cdImage(iso), disks: [data], bootOrder: ['cd'] }
    : { disks: [new Overlay(rawImage(iso)), data], bootOrder: ['disk'] }),
  display: 'none',
} as never)
pc.console.onOutput((b) => void writeSync(1, b))
const t = performance.now()
const limit = Number(process.argv[3] ?? 3e9)
const stop = await pc.run({ idle: 'skip', instructions: limit })
console.error('\n', stop.reason, (performance.now() - t) / 1000, 's', pc.machine.get('clock').now / 250e6)
console.error(new TextDecoder().decode((pc as any).firmwareLog))
for (const [k, v] of Object.entries(pc.machine.get('counters').snapshot()))
  if (/dma|unclaimed/.test(k)) console.error(k, v)
