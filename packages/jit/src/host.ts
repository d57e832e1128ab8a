/** What the host can be told. */

/**
 * Flags of V8 under which translations run faster in Node 24: `for (const flag of V8_FLAGS) setFlagsFromString(flag)`, of
 * `node:v8`, before the first machine is made. Branch hints are heeded, so that what is seldom executed stands aside, and
 * calls are not counted for inlining, of which translations have none. (Of V8 13.6: page faults and fork and exec took 6 to
 * 10 % less time by the first, 4 % by the second. A V8 that does not know a flag says so on the standard error and goes on.)
 */
export const V8_FLAGS: readonly string[] = ['--experimental-wasm-branch-hinting', '--no-wasm-inlining']
