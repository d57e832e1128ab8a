import { readFileSync, writeSync } from 'node:fs'
import { sparseDisk, readOnly } from '@vmexit/block'
import { createPc } from '../src/index.ts'
const kernel = readFileSync('/tmp/vx/boot/x/boot/vmlinuz-6.1.0-50-686'); const initrd = readFileSync('/tmp/vx/ide/initrd3.cpio')
const good = sparseDisk(64 << 20)
const bad = { sectorBytes: 512 as const, sectors: good.sectors, readOnly: false, flush() {}, write: good.write.bind(good), read(s: number, into: Uint8Array) { if (s <= 1000 && s + into.length / 512 > 1000) throw new Error('bad'); good.read(s, into) } }
const pc = await createPc({ memory: '128 MiB', kernel, initrd, append: 'console=ttyS0 mitigations=off cryptomgr.notests ' + (process.argv[2] ?? ''), disks: [bad, readOnly(sparseDisk(1 << 20))], display: 'none' } as never)
const clock = pc.machine.get('clock')
pc.console.onOutput((b) => { const s = new TextDecoder().decode(b); writeSync(1, s.replaceAll('\n', `\n{${(clock.now / 250e6).toFixed(3)}} `)) })
const t = performance.now()
const stop = await pc.run({ idle: 'return', instructions: 12e9 })
console.error(stop.reason, (performance.now() - t) / 1000)
