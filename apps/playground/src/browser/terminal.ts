/** The terminal on the page: xterm.js, fitted to its place, in the page's colours, with the keys for copying. */
import { FitAddon } from '@xterm/addon-fit'
import { type ITheme, Terminal as Xterm } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'

/** A terminal. */
export interface Terminal {
  /** Calls `shown` when what is printed is on the screen. */
  print(bytes: Uint8Array, shown: () => void): void
  /** As after power-on. */
  clear(): void
  focus(): void
  readonly columns: number
  readonly rows: number
}

/** What a terminal tells. */
export interface TerminalListener {
  onInput(text: string): void
  onResize(columns: number, rows: number): void
}

const dark: ITheme = {
  background: '#0d1117',
  foreground: '#d7dee7',
  cursor: '#5ccfa6',
  cursorAccent: '#0d1117',
  selectionBackground: '#2f4a63',
}

const light: ITheme = {
  background: '#ffffff',
  foreground: '#1d2733',
  cursor: '#0a7d55',
  cursorAccent: '#ffffff',
  selectionBackground: '#bcdcf5',
  ...{ black: '#1d2733', white: '#5c6773', brightBlack: '#6b7682', brightWhite: '#2b3642' },
}

/** Puts a terminal into the element, as large as that is from time to time. */
export function openTerminal(element: HTMLElement, { onInput, onResize }: TerminalListener): Terminal {
  const darkScheme = matchMedia('(prefers-color-scheme: dark)')
  const theme = () => (darkScheme.matches ? dark : light)
  const xterm = new Xterm({
    cursorBlink: true,
    fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace',
    fontSize: 14,
    lineHeight: 1.15,
    minimumContrastRatio: 4.5,
    scrollback: 10_000,
    theme: theme(),
  })
  const fit = new FitAddon()
  xterm.loadAddon(fit)
  xterm.open(element)
  xterm.onData(onInput)
  xterm.onResize(({ cols, rows }) => onResize(cols, rows))
  xterm.attachCustomKeyEventHandler((event) => goesToTheGuest(event, xterm))
  darkScheme.addEventListener('change', () => {
    xterm.options.theme = theme()
  })
  new ResizeObserver(() => fit.fit()).observe(element)
  return {
    print: (bytes, shown) => xterm.write(bytes, shown),
    clear: () => xterm.reset(),
    focus: () => xterm.focus(),
    get columns() {
      return xterm.cols
    },
    get rows() {
      return xterm.rows
    },
  }
}

/**
 * Ctrl-Shift-C copies, and would open the browser's tools; Ctrl-Shift-V is the browser's own key for pasting, whose event
 * xterm.js takes. Ctrl-C and Ctrl-V are the guest's, as in any terminal.
 */
function goesToTheGuest(event: KeyboardEvent, xterm: Xterm): boolean {
  if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true
  if (event.code === 'KeyV') return false
  if (event.code !== 'KeyC') return true
  event.preventDefault()
  if (event.type === 'keydown' && xterm.hasSelection()) void navigator.clipboard?.writeText(xterm.getSelection())
  return false
}
