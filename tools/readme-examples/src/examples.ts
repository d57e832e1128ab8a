/** Finds the TypeScript examples of a Markdown file. */

/** One fenced block. */
export interface Example {
  /** Line of the opening fence, 1-based. */
  readonly line: number
  /** False for a block fenced as "ts no-run": its types are checked, but it is not started. */
  readonly runs: boolean
  /**
   * The block behind as many empty lines as stand before it in the file, so that an error's line number is that of
   * the Markdown file.
   */
  readonly text: string
}

/** The blocks fenced as "ts" in the order of the text. A fence that is never closed is an error. */
export function examplesOf(markdown: string): Example[] {
  const lines = markdown.split(/\r?\n/)
  const examples: Example[] = []
  let start: { index: number; fence: string; info: string } | undefined
  for (const [index, line] of lines.entries()) {
    const match = line.match(/^(`{3,})(.*)$/)
    if (!match) continue
    const fence = match[1]!
    const info = match[2]!.trim()
    if (!start) {
      start = { index, fence, info }
    } else if (info === '' && fence.length >= start.fence.length) {
      const [language, ...flags] = start.info.split(/\s+/)
      if (language === 'ts') {
        const padding = '\n'.repeat(start.index + 1)
        const text = `${padding}${lines.slice(start.index + 1, index).join('\n')}\n`
        examples.push({ line: start.index + 1, runs: !flags.includes('no-run'), text })
      }
      start = undefined
    }
  }
  if (start)
    throw new Error(`The block that opens in line ${start.index + 1} is never closed: add a line of ${start.fence}`)
  return examples
}
