/** One line of a terminal that says how far a comparison is. */
import type { Progress } from '@vmexit/compare'

/** On anything but a terminal it writes nothing. */
export function progressLine(stream: NodeJS.WriteStream): { show(progress: Progress): void; clear(): void } {
  const write = (text: string) => {
    if (stream.isTTY) stream.write(`\r\x1b[K${text}`)
  }
  return {
    show: ({ technique, workload, done, total }) =>
      write(`${done}/${total} ${technique}${workload === undefined ? '' : `: ${workload}`}`),
    clear: () => write(''),
  }
}
