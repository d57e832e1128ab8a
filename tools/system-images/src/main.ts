/**
 * Builds the test images in `guest` and records what Bochs prints when it runs them. Needs gcc 12 and Debian's
 * `bochs`. (QEMU checks neither segment limits nor much else of what is asked here, and pushes no RF: it is no oracle for this.)
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'

const guest = fileURLToPath(new URL('../guest/', import.meta.url))
const vectors = fileURLToPath(new URL('../../../packages/x86/vectors/system/', import.meta.url))
const IMAGES = [
  'gates',
  'returns',
  'transfers',
  'tasks',
  'v86',
  'paging',
  'pae',
  'selectors',
  'limits',
  'debug',
  'units',
]

const HELP = `Usage: node tools/system-images/src/main.ts COMMAND [IMAGE…]

  build         compile the images and write packages/x86/vectors/system/*.rom.gz
  record        run them in Bochs and write what it prints beside them
  check         run them in Bochs and compare with what is recorded

Without an IMAGE, all: ${IMAGES.join(' ')}
Example: node tools/system-images/src/main.ts check gates v86
Debian packages: gcc bochs`

const file = (name: string, kind: string): string => `${vectors}${name}.${kind}.gz`
const pack = (data: Uint8Array): Uint8Array => gzipSync(data, { level: 9 })
const unpack = (path: string): Buffer => gunzipSync(readFileSync(path))

function build(name: string, folder: string): void {
  const out = join(folder, `${name}.bin`)
  execFileSync(join(guest, 'build.sh'), [name, out], { stdio: 'inherit' })
  writeFileSync(file(name, 'rom'), pack(readFileSync(out)))
}

const bochsConfiguration = (rom: string, vga: string): string => `config_interface: textconfig
display_library: rfb, options="timeout=0"
cpu: model=core_duo_t2400_yonah, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=0
megs: 16
romimage: file=${rom}, address=0xffff0000
port_e9_hack: enabled=1
clock: sync=none, time0=1
log: bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
sound: driver=dummy, waveoutdrv=dummy
speaker: enabled=1, mode=none
plugin_ctrl: unmapped=1, biosdev=1
vgaromimage: file=${vga}
vga: extension=none
`

/** What Bochs prints on port E9h. Debian builds it with its debugger, which starts it. */
function bochs(name: string, folder: string): Buffer {
  const rom = join(folder, `${name}.bin`)
  writeFileSync(rom, unpack(file(name, 'rom')))
  const vga = join(folder, 'vga.rom')
  if (!existsSync(vga)) writeFileSync(vga, new Uint8Array(65536))
  writeFileSync(join(folder, 'bochsrc'), bochsConfiguration(rom, vga))
  writeFileSync(join(folder, 'go'), 'c\n')
  const { stdout } = spawnSync('bochs-bin', ['-q', '-f', 'bochsrc', '-rc', 'go'], {
    cwd: folder,
    timeout: 900_000,
    maxBuffer: 1 << 26,
  })
  // The debugger prints where it stands (two lines) before the guest's text, and a rule of = after it.
  const text = stdout.toString('latin1')
  const banner = text.indexOf('Next at t=0')
  const start = text.indexOf('\n', text.indexOf('\n', banner) + 1) + 1
  const printed = text.slice(start, text.indexOf('='.repeat(40), start))
  // The last line is the debugger's again.
  return Buffer.from(printed.slice(0, printed.lastIndexOf('\n') + 1), 'latin1')
}

/** Lines that differ. */
function differences(a: Buffer, b: Buffer): number {
  const left = a.toString('latin1').split('\n')
  const right = b.toString('latin1').split('\n')
  let count = Math.abs(left.length - right.length)
  for (let i = 0; i < Math.min(left.length, right.length); i++) if (left[i] !== right[i]) count++
  return count
}

function main(command: string | undefined, names: readonly string[]): number {
  if (command === undefined || command === '--help' || !['build', 'record', 'check'].includes(command)) {
    console.log(HELP)
    return command === '--help' ? 0 : 2
  }
  const unknown = names.filter((name) => !IMAGES.includes(name))
  if (unknown.length > 0) {
    console.error(`no such image: ${unknown.join(', ')}; there are ${IMAGES.join(', ')}`)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'system-images-'))
  let failed = 0
  try {
    for (const name of names.length > 0 ? names : IMAGES) {
      if (command === 'build') {
        build(name, folder)
        continue
      }
      const text = bochs(name, folder)
      const lines = text.toString('latin1').split('\n').length - 1
      if (command === 'record') {
        writeFileSync(file(name, 'bochs'), pack(text))
        console.log(`${name}: ${lines} lines`)
        continue
      }
      const differing = differences(text, unpack(file(name, 'bochs')))
      if (differing > 0) failed++
      console.log(`${name}: ${differing === 0 ? `${lines} lines as recorded` : `${differing} lines differ`}`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return failed > 0 ? 1 : 0
}

process.exitCode = main(process.argv[2], process.argv.slice(3))
