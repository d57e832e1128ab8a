/** Containers with a terminal, which script(1) gives the command. */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { boxes, isBoxThere, WHY_NO_BOX } from '../../test/box.ts'

const hasScript = spawnSync('script', ['--version']).status === 0
const why = WHY_NO_BOX || (hasScript ? '' : ' (skipped: there is no script(1))')
const soon = { timeout: 60_000, interval: 50 }

describe.skipIf(!isBoxThere || !hasScript)(`a terminal${why}`, () => {
  const box = boxes()

  test('is left by Ctrl-P Ctrl-Q, attached again, and tells its size', { timeout: 300_000 }, async () => {
    const { run, folder } = box()
    const typing = (...words: readonly string[]) => {
      const main = join(import.meta.dirname, '..', 'main.ts')
      const command = [process.execPath, '--conditions=@vmexit/source', main, ...words].map((word) => `'${word}'`)
      const child = spawn('script', ['-qec', `stty rows 33 cols 99; ${command.join(' ')}`, '/dev/null'], {
        env: { ...process.env, XDG_STATE_HOME: folder },
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      let out = ''
      child.stdout.on('data', (bytes) => void (out += bytes))
      const ended = new Promise<number | null>((done) => child.on('close', done))
      return { type: (text: string) => void child.stdin.write(text), ended, out: () => out }
    }
    const first = typing('run', '-it', '--name', 't', 'box', 'sh')
    await vi.waitFor(() => expect(first.out()).toContain('/ # '), soon)
    first.type('x=$((6*7)); stty size\n')
    await vi.waitFor(() => expect(first.out()).toContain('33 99'), soon)
    first.type('\x10\x11')
    expect(await first.ended).toBe(0)
    expect((await run('ps')).out).toMatch(/ t .* Up /)

    const second = typing('attach', 't')
    second.type('\n')
    await vi.waitFor(() => expect(second.out()).toContain('/ # '), soon)
    // Ctrl-C is the shell's.
    second.type('sleep 1000\n')
    await vi.waitFor(() => expect(second.out()).toContain('sleep 1000'), soon)
    await vi.waitFor(async () => expect((await run('top', 't')).out).toContain('sleep 1000'), soon)
    second.type('\x03')
    second.type('echo =$x=; exit 7\n')
    expect(await second.ended).toBe(7)
    expect(second.out()).toContain('=42=')

    const third = typing('exec', '-it', 't', 'sh')
    expect(await third.ended).toBe(125)
    expect(third.out()).toContain('t does not run (Exited (7)')
  })

  test("shows every byte as the terminal inside gave it, and leaves the host's as it was", {
    timeout: 300_000,
  }, async () => {
    const { folder } = box()
    const main = join(import.meta.dirname, '..', 'main.ts')
    const program = 'echo with; stty -onlcr; printf "bare\\nnext\\n"'
    const words = [
      process.execPath,
      '--conditions=@vmexit/source',
      main,
      'run',
      '--rm',
      '-it',
      'box',
      'sh',
      '-c',
      program,
    ]
    const command = `${words.map((word) => `'${word}'`).join(' ')}; stty -a`
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, XDG_STATE_HOME: folder },
      encoding: 'utf8',
    })
    expect(stdout).toContain('with\r\nbare\nnext\n')
    expect(stdout).not.toContain('\r\r\n')
    expect(stdout).toMatch(/^opost /m)
    expect(stdout).toMatch(/ icanon /)
  })
})
