/** The first heading of a Markdown document, as plain text. */
export function titleOf(markdown: string): string | undefined {
  return /^# +(.+)$/m.exec(markdown)?.[1]!.replaceAll(/[`*]/g, '').trim()
}
