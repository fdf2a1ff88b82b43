import type { HttpResponse } from '../../http/message.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { problemBody, Refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { Outcome } from './ask-part.ts'

/** @throws Refused with the problem of a required part that failed */
export function orRefused<T extends Outcome | undefined>(outcome: T): T {
  if (outcome?.ok === false) throw new Refused(outcome.problem)
  return outcome
}

/**
 * Puts the parts' JSON one after the other, without reading it.
 * @param personal what a part says to its caller may not be what it says to another
 */
export function joinParts(names: readonly string[], personal: boolean, status: number) {
  const heads = names.map((name, at) => Buffer.from(`${at === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  return (outcomes: readonly Outcome[], { caller, trace, path }: EdgeRequest): HttpResponse => {
    const pieces: Uint8Array[] = []
    const missing: { part: string; problem: object }[] = []
    let storable = !personal || caller.kind === 'anonymous'
    outcomes.forEach((outcome, at) => {
      pieces.push(heads[at] as Uint8Array)
      if (outcome.ok) {
        pieces.push(typeof outcome.json === 'string' ? Buffer.from(outcome.json) : outcome.json)
        storable &&= outcome.storable
        return
      }
      pieces.push(Buffer.from('null'))
      missing.push({ part: names[at] ?? '', problem: problemBody(outcome.problem, trace.traceId, path) })
    })
    const partial = missing.length > 0
    pieces.push(Buffer.from(partial ? `,"partial":${JSON.stringify(missing)}}` : '}'))
    const headers: [string, string][] = [['Content-Type', 'application/json']]
    if (partial) headers.push(['Trestle-Partial', missing.map(({ part }) => part).join(', ')])
    if (partial || !storable) headers.push(['Cache-Control', 'no-store'])
    return { status, headers, body: Buffer.concat(pieces) }
  }
}

/** Counts optional parts that are missing. */
export function missingParts({ metrics }: GatewayContext) {
  const counter = metrics.counter('trestle_gateway_missing_parts_total', {
    help: 'Optional parts of aggregates that were answered with null, by route and part.',
    labels: ['route', 'part'],
    seriesMax: 10_000,
  })
  return (path: string, part: string) => counter.with(path, part).add()
}
