import { bindingOf } from '../../contract/binding.ts'
import { compileOperation } from '../../contract/compile-operation.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { problemBody, Refused, refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { readOperationBody } from '../route/operation-body.ts'
import { restInputOf } from '../route/rest-input-of.ts'
import type { AggregateSpec } from './aggregate.ts'
import { askPart, type Asked, openParts, type OpenPart, type Outcome } from './ask-part.ts'
import { aggregateDocument } from './aggregate-document.ts'

/** Opens an aggregate: one endpoint that asks its parts. */
export function openAggregate(spec: AggregateSpec, context: GatewayContext): OpenRoute {
  const { operation } = spec
  const { method, path } = operation.rest as { readonly method: string; readonly path: string }
  const place = `aggregate(${method} ${path})`
  return {
    endpoints: [
      {
        method,
        template: path,
        place,
        operation: undefined,
        target: 'aggregate',
        access: spec.access,
        allowInPath: spec.allowInPath,
        cost: spec.cost,
        policies: spec.policies,
        answer: answerer(spec, context),
      },
    ],
    documents: [aggregateDocument(spec)],
  }
}

function answerer({ operation, parts }: AggregateSpec, context: GatewayContext) {
  const open = openParts(parts)
  const { clock } = context
  const binding = bindingOf(operation)
  const inputOf = restInputOf(operation)
  const compiled = compileOperation(operation)
  const partials = partialCounter(context)
  const write = writer(open, operation.status)
  return async (request: EdgeRequest): Promise<HttpResponse> => {
    const deadlineMs = clock.monotonic() + operation.timeoutMs
    const body = await readOperationBody(request, binding, operation.bodyMaxBytes)
    const parsed = compiled.parseRest(inputOf(request, body))
    if (!parsed.ok) throw refused(parsed.code, { errors: parsed.faults })
    const done = new AbortController()
    try {
      const outcomes = await askAll(open, { request, input: parsed.value, deadlineMs, signal: done.signal }, context)
      for (const { name } of open.filter((_, at) => outcomes[at]?.ok === false)) partials(operation, name)
      return write(outcomes, request)
    } finally {
      // Whoever is still being asked need not answer any more.
      done.abort()
    }
  }
}

/** Each part as soon as what it reads is there. @throws Refused with the problem of the first required part that fails */
function askAll(open: readonly OpenPart[], asked: Asked, context: GatewayContext): Promise<readonly Outcome[]> {
  const outcomes: Promise<Outcome>[] = []
  for (const part of open) {
    const reads = part.reads.map((at) => outcomes[at] as Promise<Outcome>)
    const outcome =
      reads.length === 0
        ? askPart(part, asked, [], context)
        : Promise.all(reads).then((read) => askPart(part, asked, read.map(valueOf), context))
    outcomes.push(part.part.required ? outcome.then(orRefused) : outcome)
  }
  return Promise.all(outcomes)
}

function valueOf(outcome: Outcome): unknown {
  return outcome.ok ? outcome.value : null
}

function orRefused(outcome: Outcome): Outcome {
  if (!outcome.ok) throw new Refused(outcome.problem)
  return outcome
}

/** Puts the parts' JSON one after the other, without reading it. */
function writer(open: readonly OpenPart[], status: number) {
  const heads = open.map(({ name }, at) => Buffer.from(`${at === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  // What a part says to its caller may not be what it says to another.
  const personal = open.some(({ part }) => part.operation.access?.kind !== 'anyone')
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
      missing.push({ part: open[at]?.name ?? '', problem: problemBody(outcome.problem, trace.traceId, path) })
    })
    const partial = missing.length > 0
    pieces.push(Buffer.from(partial ? `,"partial":${JSON.stringify(missing)}}` : '}'))
    const headers: [string, string][] = [['Content-Type', 'application/json']]
    if (partial) headers.push(['Trestle-Partial', missing.map(({ part }) => part).join(', ')])
    if (partial || !storable) headers.push(['Cache-Control', 'no-store'])
    return { status, headers, body: Buffer.concat(pieces) }
  }
}

function partialCounter({ metrics }: GatewayContext) {
  const counter = metrics.counter('trestle_gateway_missing_parts_total', {
    help: 'Optional parts of aggregates that were answered with null, by route and part.',
    labels: ['route', 'part'],
    seriesMax: 10_000,
  })
  return ({ rest }: AggregateSpec['operation'], part: string) => counter.with(rest?.path ?? '', part).add()
}
