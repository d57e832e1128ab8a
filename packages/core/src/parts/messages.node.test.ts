import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** Compiles `body` beside this file and returns the compiler's messages. */
function compile(body: string): string[] {
  const here = fileURLToPath(import.meta.url)
  const name = here.replace('messages.node.test.ts', 'composed.ts')
  const source = `import * as p from '../../test/sample-parts.ts'
import { createMachine, type Machine } from './machine.ts'
import { createVm } from './vm.ts'
declare const machine: Machine<'cpu'>
${body}`
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    strict: true,
    noEmit: true,
    types: [],
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, source, ts.ScriptTarget.ES2024) : getSourceFile.call(host, file, ...rest)
  host.fileExists = (file) => file === name || fileExists.call(host, file)
  const program = ts.createProgram([name], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('the words reach whoever compiles: the last line of the error is the message', () => {
  const messages = compile(`
createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.serial()] })
createVm(machine, { memory: p.ram(), execution: p.vtx(), mmu: p.nestedPaging() })
createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.pic(), p.pic(), p.apic(), p.serial()] })
createVm(machine, { memory: p.ram(), execution: p.binaryTranslation(), mmu: p.directPaging(), guest: p.linux() })
createMachine({ memory: p.ram(), cpu: p.x86() })
`)
  // The message is a literal type, so it stands in double quotes within TypeScript's single ones.
  const ends = messages.map((message) => /✗[^"]*(?="'\.$)/.exec(message)?.[0])
  expect(ends).toEqual([
    "✗ serial needs 'interrupts': add an interrupt controller to devices",
    "✗ vtx needs 'vmx' of the machine: use x86({ vmx: true })",
    "✗ pic gives 'interrupts', which pic gives too: keep one of them",
    "✗ apic gives 'interrupts', which pic gives too: keep one of them",
    "✗ direct-paging needs 'hypercalls': use execution: paravirt()",
  ])
})
