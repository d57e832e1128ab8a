/** What the host can be told. */

/**
 * Flags of V8 under which translations run faster in Node 24: `for (const flag of V8_FLAGS) setFlagsFromString(flag)`, of
 * `node:v8`, before the first machine is made. Branch hints are heeded, so that what is seldom executed stands aside, and
 * calls are not counted for inlining, of which translations have none. (Of V8 13.6: page faults and fork and exec took 6 to
 * 10 % less time by the first, 4 % by the second.) JavaScript, which here is called on the way between translations, is optimised later: V8's
 * compilers took a fifth of the processor time of programs that run for a second. (Of 14 programs in a row, by turns: 10 % less
 * time on average, SHA-256 and messages through pipes 20 to 30 %; those with many system calls and forks as much as before.)
 * A V8 that does not know a flag says so on the standard error and goes on.
 */
export const V8_FLAGS: readonly string[] = [
  '--experimental-wasm-branch-hinting',
  '--no-wasm-inlining',
  '--invocation-count-for-maglev=1500',
  '--invocation-count-for-turbofan=20000',
]
