import type { z } from 'zod'
import type { specs } from '../service/operator/operations.ts'
import { momentOf } from './access-texts.ts'
import type { CliIo } from './io.ts'
import { textTable } from './table.ts'

type Saga = z.output<typeof specs.sagas.output>[number] & { readonly service: string }
type Line = z.output<typeof specs.saga.output>['timeline'][number]

/** Longest text of an error in a table, characters. */
const errorMax = 80

/** Instances, what each waits for and since when. */
export function sagasTable(sagas: readonly Saga[], { colors }: CliIo): string {
  return textTable(
    ['SERVICE', 'SAGA', 'KEY', 'ID', 'STATE', 'WAITS FOR', 'SINCE', 'UNTIL', 'LAST ERROR'].map((title) => ({ title })),
    sagas.map(({ service, saga, key, id, state, waitsFor, since, until, lastError, failure }) => [
      service,
      saga,
      key,
      id,
      state === 'stuck' ? colors.red(state) : state,
      waitsFor ?? '-',
      momentOf(since),
      momentOf(until),
      cut(lastError ?? failure),
    ]),
  )
}

/** What happened to one instance. */
export function timelineTable(lines: readonly Line[], { colors }: CliIo): string {
  return textTable(
    ['', 'AT', 'STEP', 'ACTION', 'OUTCOME', 'TOOK', 'TRIES', 'ERROR'].map((title) => ({ title })),
    lines.map(({ n, at, step, action, outcome, beganAt, tries, error }) => [
      String(n),
      at.slice(0, 23).replace('T', ' '),
      step ?? '-',
      action,
      outcome === 'done' ? outcome : colors.red(outcome),
      beganAt === null ? '-' : `${Math.max(0, Date.parse(at) - Date.parse(beganAt))} ms`,
      String(tries),
      cut(error),
    ]),
  )
}

function cut(text: string | null): string {
  if (text === null) return '-'
  return text.length > errorMax ? `${text.slice(0, errorMax)}...` : text
}
