import { readFileSync, writeSync, writeFileSync } from 'node:fs'
import { memoryDisk, Overlay, cdImage, sparseDisk, rawImage } from '@vmexit/block'
import { createPc } from '../src/index.ts'
const kernel = readFileSync('/tmp/vx/boot/x/boot/vmlinuz-6.1.0-50-686'); const initrd = readFileSync('/tmp/vx/ide/initrd2.cpio')
const pc = await createPc({ memory: '128 MiB', kernel, initrd, append: 'console=ttyS0 mitigations=off cryptomgr.notests ' + (process.argv[2] ?? ''), disks: [sparseDisk(64 << 20)], cd: cdImage(new Uint8Array(readFileSync('/tmp/vx/ide/cd.iso'))), display: 'none' } as never)
const clock = pc.machine.get('clock')
let text = ''
const api = pc.machine.find('pci' as never) && [...((pc.machine as any).parts ?? [])]
pc.console.onOutput((b) => { const s = new TextDecoder().decode(b); text += s; writeSync(1, s.replaceAll('\n', `\n{${(clock.now / 250e6).toFixed(3)}} `)) })
import { CdUnit } from '@vmexit/chipset'
let unit: CdUnit | undefined
const execute = CdUnit.prototype.execute
CdUnit.prototype.execute = function (p) { unit = this; return execute.call(this, p) }
const t = performance.now()
let did = 0
for (;;) {
  const stop = await pc.run({ idle: 'return', instructions: 50e6 })
  if (text.includes('CHANGE NOW') && did === 0) { did = 1; unit!.change(cdImage(new Uint8Array(readFileSync('/tmp/vx/ide/cd2.iso')))); console.error('changed') }
  if (text.includes('EMPTY NOW') && did === 1) { did = 2; unit!.change(undefined); console.error('emptied') }
  if (stop.reason !== 'limit' && stop.reason !== 'instructions') { console.error(stop.reason); break }
  if (performance.now() - t > 400e3) break
}
