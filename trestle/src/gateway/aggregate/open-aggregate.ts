import { bindingOf } from '../../contract/binding.ts'
import { compileOperation } from '../../contract/compile-operation.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { refused } from '../reply/problem-response.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { OpenRoute } from '../route/open-route.ts'
import { readOperationBody } from '../route/operation-body.ts'
import { restInputOf } from '../route/rest-input-of.ts'
import type { AggregateSpec } from './aggregate.ts'
import { askPart, type Asked, openParts, type OpenPart, type Outcome } from './ask-part.ts'
import { aggregateDocument } from './aggregate-document.ts'
import { joinParts, missingParts, orRefused } from './join-parts.ts'

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
  const count = missingParts(context)
  const path = operation.rest?.path ?? ''
  const write = joinParts(
    open.map(({ name }) => name),
    open.some(({ part }) => part.operation.access?.kind !== 'anyone'),
    operation.status,
  )
  return async (request: EdgeRequest): Promise<HttpResponse> => {
    const deadlineMs = clock.monotonic() + operation.timeoutMs
    const body = await readOperationBody(request, binding, operation.bodyMaxBytes)
    const parsed = compiled.parseRest(inputOf(request, body))
    if (!parsed.ok) throw refused(parsed.code, { errors: parsed.faults })
    const done = new AbortController()
    try {
      const outcomes = await askAll(open, { request, input: parsed.value, deadlineMs, signal: done.signal }, context)
      for (const { name } of open.filter((_, at) => outcomes[at]?.ok === false)) count(path, name)
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
