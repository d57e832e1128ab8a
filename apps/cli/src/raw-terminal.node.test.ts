/** What the host's terminal is given while it is raw, by a process that has one of script(1). */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const hasScript = spawnSync('script', ['--version']).status === 0

test.skipIf(!hasScript)(`what is told begins at the first column${hasScript ? '' : ' (skipped: no script)'}`, () => {
  const module = join(import.meta.dirname, 'raw-terminal.ts')
  const program = `
    import { makeTerminalRaw, tell } from ${JSON.stringify(module)}
    const giveBack = makeTerminalRaw()
    process.stdout.write('guest\\n')
    tell('one\\ntwo\\n')
    giveBack()
    tell('three\\n')`
  const command = [process.execPath, '--input-type=module', '-e', program]
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const { stdout } = spawnSync('script', ['-qec', quoted, '/dev/null'], { encoding: 'utf8' })
  expect(stdout).toBe('guest\none\r\ntwo\r\nthree\r\n')
})
