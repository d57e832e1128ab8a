/** What the page may do, in its own server's answers and in the page as it is published. */

/**
 * What the page may do. Scripts and workers are files of this server, and WebAssembly may be compiled; JavaScript from text
 * may not. Styles may be in the page, since xterm.js makes style elements for its colours and measures. There are no
 * headers of cross-origin isolation: nothing needs it.
 */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The policy of a page that may fetch from further servers, for its containers. */
export function policyFor(servers: readonly string[]): string {
  return contentSecurityPolicy.replace("connect-src 'self'", ["connect-src 'self'", ...servers].join(' '))
}
