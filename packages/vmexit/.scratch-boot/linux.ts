import { readFileSync, writeSync } from 'node:fs'
import { describeBoot, guest, linux } from '@vmexit/boot'
import {
  acpiPower,
  acpiTables,
  debugConsole,
  exitPort,
  fwCfg,
  keyboardController,
  pic,
  pit,
  postPort,
  resetPort,
  rtc,
  uart,
} from '@vmexit/chipset'
import { createMachine } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { x86 } from '@vmexit/x86'

const [kernelFile, initrdFile, append, seconds, mb] = process.argv.slice(2)
const ub = uart({ onTransmit: (b) => void writeSync(1, b) })
const g = guest(
  linux({
    kernel: readFileSync(kernelFile!),
    ...(initrdFile ? { initrd: readFileSync(initrdFile) } : {}),
    append: append ?? 'console=ttyS0',
    tables: acpiTables({ cpus: 0 }),
    screen: { kind: 'text' },
  }),
)
const machine = await createMachine(
  {
    memory: ram(`${mb ?? 64} MiB`),
    cpu: x86({ engine: 'interpreter' }),
    devices: [
      pic(),
      pit(),
      rtc(),
      ub,
      keyboardController(),
      acpiPower(),
      resetPort(),
      fwCfg(),
      debugConsole({ onText: (b) => void writeSync(1, b) }),
      postPort(),
      exitPort(),
      g,
    ] as never,
  },
  { frequency: 200_000_000 },
)
machine.get('guestMemory' as never as 'clock')
const memory = machine.find('guestMemory')!
memory.map({ kind: 'ram', start: 0xb8000, bytes: 0x8000 })
console.error(describeBoot(machine.of(g).image))
const t0 = performance.now()
let typed = false
const text = () => {
  let s = ''
  for (let r = 0; r < 25; r++) {
    let l = ''
    for (let c = 0; c < 80; c++) l += String.fromCharCode(memory.read8(0xb8000 + (r * 80 + c) * 2) || 32)
    s += l.trimEnd() + '\n'
  }
  return s
}
for (;;) {
  const stop = machine.runSlice({ instructions: 50e6 })
  const end = performance.now() - t0 > Number(seconds ?? 60) * 1000
  if (stop.reason !== 'instructions') console.error('STOP', stop.reason)
  if ((stop.reason !== 'instructions' && stop.reason !== 'idle') || (typed && (end || stop.reason === 'idle'))) break
  if (stop.reason === 'idle' || (end && !typed)) {
    typed = true
    machine
      .of(ub as never as typeof ub)
      .receive(Buffer.from('uname -a; cat /proc/iomem; cat /proc/meminfo | head -3; poweroff -f\n'))
    if (!initrdFile) break
  }
}
console.error(text().trim())
console.error(
  'now',
  machine.get('clock').now / 2e8,
  'ip',
  machine.find('x86')!.state.ip.toString(16),
  machine.find('x86')!.retired / 1e6,
)
