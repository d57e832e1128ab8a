/** What was counted, for people: a line each. */
export function linesOf(report: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(report).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([call, count]) => [`${name} ${call}`, count] as const)
      : [[name, value] as const],
  )
  return lines.map(([name, value]) => `${name.padEnd(28)} ${value}\n`).join('')
}
