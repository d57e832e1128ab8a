/** One line of a terminal that says how far a comparison is. */
import type { Progress } from '@vmexit/compare'

/** On anything but a terminal it writes nothing. */
export function progressLine(stream: NodeJS.WriteStream): {
  show(progress: Progress): void
  say(text: string): void
  clear(): void
} {
  const say = (text: string) => {
    if (stream.isTTY) stream.write(`\r\x1b[K${text}`)
  }
  return {
    say,
    show: ({ technique, workload, done, total }) =>
      say(`${done}/${total} ${technique}${workload === undefined ? '' : `: ${workload}`}`),
    clear: () => say(''),
  }
}
