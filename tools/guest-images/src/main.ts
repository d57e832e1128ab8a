/** Builds the programs in `packages/guests/programs`. Needs Debian 12's gcc 12.2 and binutils 2.40. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildImages, differences, imagesFolder, moduleOf, modulePath, obstacle } from './images.ts'

const HELP = `Usage: node tools/guest-images/src/main.ts COMMAND

  build         compile the programs; write packages/guests/images/programs and src/programs.generated.ts
  check         compile them and compare with what is committed

Debian packages: gcc binutils`

function build(): number {
  const images = buildImages()
  rmSync(imagesFolder, { recursive: true, force: true })
  mkdirSync(imagesFolder, { recursive: true })
  for (const [name, bytes] of images) {
    writeFileSync(join(imagesFolder, name), bytes)
    chmodSync(join(imagesFolder, name), 0o755)
    console.log(`${name.padEnd(10)} ${bytes.length} bytes`)
  }
  writeFileSync(modulePath, moduleOf(images))
  return 0
}

function check(): number {
  const wrong = differences(buildImages())
  for (const line of wrong) console.log(line)
  console.log(wrong.length === 0 ? 'the committed images are what the sources give' : 'run the command build')
  return wrong.length > 0 ? 1 : 0
}

function main(command: string | undefined): number {
  if (command !== 'build' && command !== 'check') {
    console.log(HELP)
    return command === '--help' ? 0 : 2
  }
  const reason = obstacle()
  if (reason !== undefined) {
    console.error(reason)
    return 1
  }
  return command === 'build' ? build() : check()
}

process.exitCode = main(process.argv[2])
