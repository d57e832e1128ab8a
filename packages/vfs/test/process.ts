/** What memfs wants of Node's `process`, in a browser: for `glob`, and for `opendir`'s calls that wait. */
globalThis.process ??= {
  cwd: () => '/',
  nextTick: (call: (...given: unknown[]) => void, ...given: unknown[]) => queueMicrotask(() => call(...given)),
} as unknown as typeof process
