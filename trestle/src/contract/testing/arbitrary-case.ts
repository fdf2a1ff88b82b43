import * as fc from 'fast-check'
import type { z } from 'zod'
import { jsonSchemaOf } from '../json-schema.ts'
import { hostileSchema, plainSchema } from './arbitrary-schema.ts'
import { valueOf } from './arbitrary-value.ts'

/** A schema and a value for it; in a report the schema is printed as JSON Schema. */
export interface Case {
  readonly schema: z.ZodType
  readonly value: unknown
}

function casesOf(schemas: fc.Arbitrary<z.ZodType>, hostile: boolean): fc.Arbitrary<Case> {
  return schemas.chain((schema) =>
    valueOf(schema, hostile).map((value) => ({
      schema,
      value,
      [fc.toStringMethod]: () => `${JSON.stringify(jsonSchemaOf(schema, 'request'))} with ${fc.stringify(value)}`,
    })),
  )
}

/** With names that every object has by birth, and `__proto__` among the keys of records. */
export const hostileCase = casesOf(hostileSchema, true)
export const plainCase = casesOf(plainSchema, false)
