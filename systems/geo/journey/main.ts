// `npm run journey -w systems/geo [-- URL]`: a customer's way from the sign-up to the premium plan. Against a system that
// runs at URL, or one that is started for it. With `--json` each step is a line of JSON.
import { styleText } from 'node:util'
import { clientOf } from './client.ts'
import { journey, type Step } from './journey.ts'
import { startGeo } from './running-geo.ts'

const json = process.argv.includes('--json')
const url = process.argv.slice(2).find((argument) => /^https?:/.test(argument))
let steps = 0
let broken = 0

function tell(step: Step): void {
  steps++
  if (!step.kept) broken++
  const mark = step.kept ? styleText('green', 'kept') : styleText('red', 'BROKEN')
  const text = `${steps}. ${step.title}\n   ${step.seen}\n   ${mark}: ${step.promise}`
  process.stdout.write(`${json ? JSON.stringify(step) : text}\n`)
}

await using started = url === undefined ? await startGeo() : undefined
await journey(clientOf(url ?? started?.url ?? ''), tell)
process.exitCode = broken === 0 && steps > 0 ? 0 : 1
