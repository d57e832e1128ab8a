/** Where an 80386 and later differ from an 80286 in real mode: tests that such a difference decides are left out, by rule. */
import type { SingleStepTest } from './moo.ts'

interface Rule {
  readonly why: string
  readonly applies: (test: SingleStepTest) => boolean
}

const RULES: readonly Rule[] = []

/** The rule by which the test is left out, or undefined. */
export function difference(test: SingleStepTest): string | undefined {
  return RULES.find((rule) => rule.applies(test))?.why
}
