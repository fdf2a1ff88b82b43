import * as fc from 'fast-check'
import { z } from 'zod'

/** Wire schemas of every kind that contracts are made of, for property tests. */

const scalars: fc.Arbitrary<z.ZodType> = fc.constantFrom<z.ZodType>(
  z.string(),
  z.string().min(1).max(5),
  z.string().regex(/^[a-z]+$/),
  z.uuid(),
  z.iso.date(),
  z.iso.datetime(),
  z.email(),
  z.ipv4(),
  z.number(),
  z.number().gt(0).max(100),
  z.int(),
  z.int().min(-5).max(5),
  z.int().multipleOf(5),
  z.boolean(),
  z.null(),
  z.literal('fixed'),
  z.literal([1, 'two', null, true]),
  z.enum(['red', 'green', 'blue']),
  z.unknown(),
)

const plainNames = ['a', 'b', 'c', 'id']
/** Names that every object has by birth. */
const hostileNames = [...plainNames, 'constructor', 'toString']

function fieldOf(schema: z.ZodType): fc.Arbitrary<z.ZodType> {
  return fc.constantFrom(schema, schema, schema.optional(), schema.nullable(), schema.nullish())
}

const schemasNaming = (names: readonly string[]): fc.Arbitrary<z.ZodType> =>
  fc.letrec<{ schema: z.ZodType; object: z.ZodObject }>((tie) => ({
    object: fc
      .dictionary(fc.constantFrom(...names), tie('schema').chain(fieldOf), { maxKeys: 4, noNullPrototype: true })
      .chain((shape) => fc.constantFrom(z.object(shape), z.object(shape), z.looseObject(shape), z.strictObject(shape))),
    schema: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      scalars,
      tie('object'),
      tie('schema').map((item) => z.array(item).max(5)),
      tie('schema').map((value) => z.record(z.string(), value)),
      fc.tuple(tie('schema'), tie('schema')).map(([a, b]) => z.union([a, b])),
      fc.tuple(tie('schema'), tie('schema')).map((items) => z.tuple(items)),
      fc
        .tuple(tie('object'), tie('object'))
        .map(([a, b]) =>
          z.discriminatedUnion('kind', [a.extend({ kind: z.literal('a') }), b.extend({ kind: z.enum(['b', 'c']) })]),
        ),
    ),
  })).schema

export const hostileSchema = schemasNaming(hostileNames)
export const plainSchema = schemasNaming(plainNames)
