/** The host's terminal as a cable: every key comes as it was typed, every byte is shown as it was printed. */
import { spawnSync } from 'node:child_process'

/**
 * Makes standard input's terminal raw, both ways. Answers what makes it as it was before.
 *
 * `setRawMode` alone leaves the host's own rule that a line feed also returns the carriage (libuv sets ONLCR). The
 * terminal inside has that rule already, so lines would end in CR CR LF, and a program that turned it off, as those that
 * draw on the whole screen do, would find its cursor in the first column. `stty` turns the host's rule off; where
 * there is none, as on Windows, it stays.
 */
export function makeTerminalRaw(): () => void {
  const { stdin } = process
  stdin.setRawMode(true)
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  return () => void stdin.setRawMode(false)
}

/** Tells whoever is at the terminal something by standard error, also while it is raw: then a line feed alone leaves the column. */
export function tell(text: string): void {
  const { stdin, stderr } = process
  const isRaw = stderr.isTTY && stdin.isTTY && stdin.isRaw
  stderr.write(isRaw ? text.replaceAll('\n', '\r\n') : text)
}
