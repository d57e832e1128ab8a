/** A request that is answered by the gateway itself, with an error (RFC 9110, section 15). */

/** Status codes the gateway gives, with their phrases. */
const phrases = {
  400: 'Bad Request',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  505: 'HTTP Version Not Supported',
} as const

/** One of them. */
export type ProblemStatus = keyof typeof phrases

/** What is wrong, and what to do about it: the answer's text. */
export class HttpProblem extends Error {
  readonly status: ProblemStatus

  constructor(status: ProblemStatus, problem: string, remedy: string) {
    super(`${problem}\n${remedy}\n`)
    this.status = status
  }

  get phrase(): string {
    return phrases[this.status]
  }
}
