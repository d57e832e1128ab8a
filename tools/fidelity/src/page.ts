/** The page that says which published figures the comparison shows, which it does not, and which it cannot. */

import { type Comparison, heldAgainst } from '@vmexit/compare'
import { type Assertion, assertions, sources } from './assertions.ts'
import { absent, Evidence, failures, type Judge, judges, Missing, type Verdict } from './judges.ts'

/** An assertion and what came of it on each kernel. */
interface Judged {
  readonly assertion: Assertion
  readonly verdicts: readonly (Verdict | undefined)[]
}

/** The text of docs/fidelity.md. @throws Error where an assertion is judged and has a cause too, or neither. */
export function fidelityPage(comparisons: readonly Comparison[]): string {
  const evidence = comparisons.map((comparison) => new Evidence(comparison))
  const all = assertions.map((assertion): Judged => {
    const judge = judges[assertion.id]
    if ((judge === undefined) === (absent[assertion.id] === undefined)) {
      throw new Error(`${assertion.id} is to have a judge, or a cause why there is none`)
    }
    return { assertion, verdicts: judge === undefined ? [] : evidence.map((seen) => verdictOf(judge, seen)) }
  })
  const kernels = comparisons.map(({ kernel }) => kernel)
  const judged = all.filter(({ verdicts }) => verdicts.some((verdict) => verdict !== undefined))
  const [constants, measured] = [true, false].map((is) =>
    judged.filter(({ verdicts }) =>
      verdicts.some((verdict) => verdict !== undefined && (verdict.constantsOnly ?? false) === is),
    ),
  )
  const role = (wanted: Assertion['role']) => measured!.filter(({ assertion }) => assertion.role === wanted)
  const without = all.filter((each) => !judged.includes(each))
  return `# Fidelity

What publications say a comparison of techniques shows, and whether [vmexit compare](../packages/compare/README.md) shows it. Written
by \`node --conditions=@vmexit/source tools/fidelity/src/main.ts\`; a test says when it is out of date.

- **V** rows say something about the model: counts and orderings that a run has produced.
- **C** rows should hold by construction: the cost model has its constants from these figures. They say that the sums are right.
- Figures are of the kernels ${kernels.map((kernel) => `\`${kernel}\``).join(' and ')}, cycles under the profile that is named: published prices, and for
  references of walks, of which neither publication says anything, the common figure for a cache hit.
- N is the bare machine, HS VT-x with shadow paging, HE VT-x with nested paging, BT binary translation, PV paravirtualization, CT a
  container. *Without BT* says that this part of a row was not judged.

| | ${kernels.join(' | ')} |
|---|${kernels.map(() => '---|').join('')}
${(['V', 'C'] as const).map((name) => totalsLine(`role ${name}`, role(name), kernels.length)).join('\n')}
${totalsLine('constants alone', constants!, kernels.length)}
| not computable | ${kernels.map(() => `${without.length} of ${all.length}`).join(' | ')} |

## Role V

${table(role('V'), kernels)}
## Role C

${table(role('C'), kernels)}
## Constants alone

No guest ran for these: constants of one profile stand side by side, for techniques that are not there yet among others.

${table(constants!, kernels.slice(0, 1))}
## What does not hold

${failing(measured!, kernels)}
${comparisons.map(heldSection).join('')}## Not computable

| | role | what | published | why not |
|---|---|---|---|---|
${without.map(({ assertion: { id, role: kind, metric, says, published } }) => `| ${id} | ${kind} | ${metric}: ${says} | ${published} | ${absent[id]} |`).join('\n')}

## Publications

${Object.entries(sources)
  .map(([key, title]) => `- **${key}** ${title}`)
  .join('\n')}
`
}

/** Our containers held against those of a guest's kernel, where the comparison has both. */
function heldSection(comparison: Comparison): string {
  const rows = heldAgainst(comparison)
  if (rows.length === 0) return ''
  const figure = (value: number) => String(Math.round(value * 100) / 100)
  return `## Our containers, held against those of the kernel ${comparison.kernel}

A container of ours is charged for what its kernel would do; one that this kernel makes itself, by namespaces, an overlay and a control group,
is counted: instructions of one repetition. Rows that constants come from (role C) agree by construction, but for what the
kernel does now and then; the others (role V) say what the charge is worth.

| | role | charged | counted | ratio |
|---|---|---|---|---|
${rows.map(({ workload, charged, counted, byConstruction }) => `| ${workload} | ${byConstruction ? 'C' : 'V'} | ${figure(charged)} | ${figure(counted)} | ${figure(charged / counted)} |`).join('\n')}

`
}

function verdictOf(judge: Judge, seen: Evidence): Verdict | undefined {
  try {
    return judge(seen)
  } catch (reason) {
    if (reason instanceof Missing) return undefined
    throw reason
  }
}

function totalsLine(name: string, rows: readonly Judged[], kernels: number): string {
  const totals = Array.from({ length: kernels }, (_, n) => {
    const verdicts = rows.flatMap(({ verdicts }) => verdicts[n] ?? [])
    return `${verdicts.filter(({ holds }) => holds).length} of ${verdicts.length} hold`
  })
  return `| ${name} | ${totals.join(' | ')} |`
}

const shown = (verdict: Verdict | undefined): string =>
  verdict === undefined ? '–' : `${verdict.holds ? 'holds' : '**does not hold**'}: ${verdict.ours}`

function table(rows: readonly Judged[], kernels: readonly string[]): string {
  const lines = rows.map(({ assertion: { id, metric, says, published }, verdicts }) => {
    const { without, profile } = verdicts.find((verdict) => verdict !== undefined)!
    const notes = [
      profile === undefined ? 'counts' : `\`${profile}\``,
      ...(without === undefined ? [] : [`*without ${without}*`]),
    ]
    return `| ${[id, `${metric}: ${says}`, published, ...kernels.map((_, n) => shown(verdicts[n])), notes.join('; ')].join(' | ')} |`
  })
  return `| | what must hold | published | ${kernels.join(' | ')} | of |
|---|---|---|${kernels.map(() => '---|').join('')}---|
${lines.join('\n')}
`
}

function failing(rows: readonly Judged[], kernels: readonly string[]): string {
  const lines = rows.flatMap(({ assertion: { id }, verdicts }) =>
    kernels.flatMap((kernel, n) => {
      if (verdicts[n]?.holds !== false) return []
      const cause = failures[id]?.[kernel]
      if (cause === undefined) throw new Error(`${id} does not hold on ${kernel}: say why in judges.ts`)
      return [`- **${id}** on ${kernel}, ${verdicts[n].ours}: ${cause}`]
    }),
  )
  return lines.length === 0 ? 'Nothing of what was judged.\n' : `${lines.join('\n')}\n`
}
