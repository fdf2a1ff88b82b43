import type { OpenApiRoute } from '../../contract/openapi/openapi.ts'
import type { AggregateSpec } from './aggregate.ts'

/** What the OpenAPI document says of an aggregate: an operation whose named schemas are those of its parts. */
export function aggregateDocument({ contract, operation, parts }: AggregateSpec): OpenApiRoute {
  const origins = Object.fromEntries(
    parts.filter(({ asWritten }) => asWritten).map(({ name, part }) => [name, part.operation.contract.id as string]),
  )
  const optional = parts.filter(({ part }) => !part.required).map(({ name }) => name)
  return {
    contract,
    operation,
    reply: {
      origins,
      headers:
        optional.length === 0
          ? {}
          : {
              'Trestle-Partial': {
                description: `Which of the optional parts are missing, of: ${optional.join(', ')}.`,
                schema: { type: 'string' },
                example: optional[0],
              },
            },
    },
  }
}
