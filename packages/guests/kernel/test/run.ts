/** Boots the kernel with the test programs. */
import { readdirSync, readFileSync } from 'node:fs'
import { createPc, writeCpio } from '@vmexit/vmexit'
const [folder, image, engine = 'jit', append = '', memory = '32 MiB'] = process.argv.slice(2)
const entries = readdirSync(folder!).sort().map((name) => ({ kind: 'file' as const, path: name === 'init' ? 'init' : `tests/${name}`, mode: 0o755, bytes: new Uint8Array(readFileSync(`${folder}/${name}`)) }))
await using pc = await createPc({ multiboot: new Uint8Array(readFileSync(image!)), modules: [{ bytes: writeCpio(entries) }], append, engine: engine as 'jit', memory, display: 'none' })
pc.console.onOutput((bytes) => process.stdout.write(bytes))
const stop = await pc.run({ idle: 'skip', onReset: 'stop', instructions: 3_000_000_000 })
console.log(stop, pc.counts.instructions)
