import * as fc from 'fast-check'
import type { z } from 'zod'
import { jsonSchemaOf } from '../json-schema.ts'
import { anySchema } from './arbitrary-schema.ts'
import { valueOf } from './arbitrary-value.ts'

/** A schema and a value for it; in a report the schema is printed as JSON Schema. */
export interface Case {
  readonly schema: z.ZodType
  readonly value: unknown
}

export const anyCase: fc.Arbitrary<Case> = anySchema.chain((schema) =>
  valueOf(schema).map((value) => ({
    schema,
    value,
    [fc.toStringMethod]: () => `${JSON.stringify(jsonSchemaOf(schema, 'request'))} with ${fc.stringify(value)}`,
  })),
)
