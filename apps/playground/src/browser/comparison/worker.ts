/** A worker that makes one comparison, on the teaching kernel. */
import {
  chosen,
  compare,
  comparisonHtml,
  DEFAULT_PROFILE,
  profileNamed,
  techniquesOn,
  workloads,
} from '@vmexit/compare'
import { problemOf } from '../problem.ts'
import type { ComparisonReport, ComparisonRequest } from './protocol.ts'

/** What can be compared on the teaching kernel, whatever its bytes are. */
const techniques = techniquesOn({ name: 'teaching', image: new Uint8Array() })

const send = (report: ComparisonReport) => postMessage(report)

async function run(request: ComparisonRequest): Promise<void> {
  try {
    const comparison = await compare({
      workloads: chosen('workload', workloads, request.workloads),
      techniques: chosen('technique', techniques, request.techniques),
      kernel: { name: 'teaching', image: request.kernel },
      profile: profileNamed(DEFAULT_PROFILE),
      onProgress: (progress) => send({ type: 'progress', progress }),
    })
    send({ type: 'done', html: comparisonHtml(comparison), json: JSON.stringify(comparison, undefined, 2) })
  } catch (error) {
    send({ type: 'problem', problem: problemOf(error) })
  }
}

addEventListener('message', ({ data }: MessageEvent<ComparisonRequest>) => void run(data))
send({
  type: 'offer',
  workloads: workloads.map(({ name, title, unit }) => ({ name, title, about: unit })),
  techniques: techniques.map(({ name, title, about }) => ({ name, title, about })),
})
