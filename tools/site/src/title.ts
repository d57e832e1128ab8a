/** The first heading of a Markdown document, as plain text. */
export function titleOf(markdown: string): string | undefined {
  const [, title] = /^# +(.+)$/m.exec(markdown) ?? []
  return title?.replaceAll(/[`*]/g, '').trim()
}
