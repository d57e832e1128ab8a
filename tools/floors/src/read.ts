/** Reads from one TypeScript file what it imports and which of the host's doors it opens. */
import ts from 'typescript'

/** One import, re-export or dynamic import. */
export interface Import {
  /** As written: `./bytes.ts`, `@vmexit/core`, `node:fs`. */
  readonly specifier: string
  /** 1-based. */
  readonly line: number
}

/** One use of something of the host's that is forbidden below apps. */
export interface Use {
  /** As written, such as `Date.now`. */
  readonly what: string
  readonly line: number
}

/**
 * What makes a run depend on the host, or JavaScript from text, and what to do instead. A count is a property of the
 * guest and the modelled hardware: nothing below apps may know the host's time, chance or environment.
 */
const forbidden: Readonly<Record<string, string>> = {
  'Date.now': 'take the virtual clock, or let the app pass the time in through the input gate',
  'new Date': 'take the virtual clock, or let the app pass the time in through the input gate',
  'performance.now': 'wall-clock is measured by apps; take the virtual clock',
  'performance.timeOrigin': 'wall-clock is measured by apps; take the virtual clock',
  'Math.random': 'take a seeded generator as an option',
  'crypto.getRandomValues': 'take random bytes as an option, or through the input gate',
  'crypto.randomUUID': 'take the identifier as an option',
  'process.*': 'take what you need as an option; apps read the environment',
  eval: 'JavaScript is never generated: pages allow WebAssembly only',
  Function: 'JavaScript is never generated: pages allow WebAssembly only',
  'Math.*': 'its bits differ between hosts: compute it exactly, or from a table',
}

const transcendental = new Set([
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'cbrt', 'cos', 'cosh', 'exp', 'expm1', 'hypot'],
  ...['log', 'log10', 'log1p', 'log2', 'pow', 'sin', 'sinh', 'tan', 'tanh'],
])

/** The remedy for a forbidden use. */
export function remedyFor(use: Use): string {
  return forbidden[use.what] ?? forbidden[use.what.replace(/\..*/, '.*')] ?? ''
}

export interface Reading {
  readonly imports: readonly Import[]
  readonly uses: readonly Use[]
}

/** Parses a file and lists its imports and forbidden uses, in the order of the text. */
export function read(name: string, text: string): Reading {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const uses: Use[] = []
  const line = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1

  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) imports.push({ specifier, line: line(node) })
    const use = useOf(node)
    if (use !== undefined) uses.push({ what: use, line: line(node) })
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { imports, uses }
}

function specifierOf(node: ts.Node): string | undefined {
  let from: ts.Node | undefined
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) from = node.moduleSpecifier
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) from = node.argument.literal
  else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) from = node.arguments[0]
  return from && ts.isStringLiteralLike(from) ? from.text : undefined
}

function useOf(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
    // A `Date` of a given time reads no clock.
    if (node.expression.text === 'Date') return node.arguments?.length ? undefined : 'new Date'
    if (node.expression.text === 'Function') return 'Function'
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    if (node.expression.text === 'eval' || node.expression.text === 'Function') return node.expression.text
  }
  if (!ts.isPropertyAccessExpression(node)) return undefined
  const owner = ownerOf(node.expression)
  const name = `${owner}.${node.name.text}`
  if (owner === 'process') return name
  if (owner === 'Math' && transcendental.has(node.name.text)) return name
  return name in forbidden ? name : undefined
}

/** The global that a property is read from; `globalThis.Date` is `Date`. */
function ownerOf(node: ts.Expression): string | undefined {
  if (ts.isIdentifier(node)) return node.text
  if (
    ts.isPropertyAccessExpression(node) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === 'globalThis'
  ) {
    return node.name.text
  }
  return undefined
}
