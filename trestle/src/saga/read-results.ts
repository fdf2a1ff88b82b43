import type { Store } from '../store/store.ts'
import type { Instance } from './instance.ts'
import { openEvent } from './sealed-event.ts'
import { runAlone } from './statement.ts'

/** What the steps of an instance have given back, read from its journal. */
export async function readResults(store: Store<unknown>, { id, spec }: Instance): Promise<Record<string, unknown>> {
  const rows = await runAlone(store, resultsOf, [id])
  const results: Record<string, unknown> = {}
  for (const row of rows) {
    const name = row['step'] as string
    const step = spec.steps.find((each) => each.name === name)
    const text = row['result'] as string
    results[name] = step?.kind === 'wait' ? openEvent(step.event, text) : JSON.parse(text)
  }
  return results
}

const resultsOf = `
select step, result from trestle.saga_steps
where saga = $1 and outcome = 'done' and action in ('run', 'wait', 'write') and result is not null order by n`
