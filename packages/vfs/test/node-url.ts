/** What memfs wants of `node:url`, in a browser. */
export const URL = globalThis.URL
