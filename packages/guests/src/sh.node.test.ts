import { createPc } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { workloadInitramfs } from './initramfs.ts'
import { readTeachingKernel } from './node.ts'
import { readProgram } from './programs.ts'

/** Types lines at the shell's prompts, and gives what was on the console between them. */
async function typed(...lines: readonly string[]): Promise<string> {
  const sh = { kind: 'file', path: 'bin/sh', mode: 0o755, bytes: readProgram('sh') } as const
  await using pc = await createPc({
    multiboot: readTeachingKernel('teaching'),
    modules: [{ bytes: workloadInitramfs({ programs: ['fork'], entries: [sh] }) }],
    append: 'teaching -- sh',
    ...{ memory: '16 MiB', interruptController: 'pic', display: 'none' },
  })
  let text = ''
  pc.console.onOutput((bytes) => {
    text += new TextDecoder().decode(bytes)
  })
  const running = pc.run({ idle: 'skip' })
  for (const line of lines) {
    await pc.console.waitFor('$ ')
    pc.console.write(`${line}\n`)
  }
  await running
  return text.replaceAll('\r', '')
}

test('files, pipes and programs, on a kernel of few system calls', async () => {
  const text = await typed('echo one two > /tmp/x', 'cat /tmp/x | cat | cat', 'cd /tmp', 'pwd', 'ls', 'fork 2', 'exit')
  expect(text).toContain(
    '$ echo one two > /tmp/x\n$ cat /tmp/x | cat | cat\none two\n$ cd /tmp\n$ pwd\n/tmp\n$ ls\nx\n$ fork 2\n@@begin fork 2',
  )
  expect(text).toContain('@@exit sh 0')
})

test('what cannot be done is said, and is the status', async () => {
  const text = await typed('nosuch', 'cat /nosuch', 'exit 7')
  expect(text).toContain('nosuch: there is no such program; try help\n')
  expect(text).toContain('/nosuch: error 2\n')
  expect(text).toContain('@@exit sh 7')
})

test('a line of many words, or without end, does not harm it', async () => {
  const text = await typed('a '.repeat(200), 'x'.repeat(3000), 'echo still here', 'exit')
  expect(text).toContain('\nstill here\n')
})
