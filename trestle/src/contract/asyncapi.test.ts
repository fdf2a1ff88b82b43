import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { asyncapi } from './asyncapi.ts'
import { contract, event } from './index.ts'
import type { JsonSchema } from './json-schema.ts'
import { Order } from './openapi/sample.ts'

const officialSchema = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json'), 'utf8'),
) as JsonSchema

const validate = new Ajv({
  strict: false,
  allErrors: true,
  formats: fullFormats,
  logger: false,
  validateSchema: false,
}).compile(officialSchema)

const orders = contract('orders', {
  version: '1.0.0',
  operations: {},
  events: {
    placed: event(Order, { key: 'id', summary: 'An order was placed' }),
    noted: event(z.object({ orderId: z.uuid(), text: z.string().default('') }), { key: 'orderId', version: 2 }),
  },
})

describe('the AsyncAPI document', () => {
  const document = asyncapi([orders], { title: 'Store', version: '1.0.0' })

  it('is valid by the official schema of AsyncAPI 3, which refuses a broken one', () => {
    expect(validate(document) ? [] : validate.errors).toEqual([])
    expect(validate({ ...document, channels: { a: { address: 1 } } })).toBe(false)
  })

  it('says each event with its payload, key and version', () => {
    expect(Object.keys(document.channels)).toEqual(['orders.placed', 'orders.noted'])
    const messages = document.components['messages'] as Record<string, JsonSchema>
    expect(messages['orders.placed']).toMatchObject({
      payload: { $ref: '#/components/schemas/Order' },
      'x-trestle-key': 'id',
      'x-trestle-version': 1,
    })
    // A reader finds the default that the writer may have left out.
    expect(messages['orders.noted']).toMatchObject({
      payload: { required: ['orderId', 'text'] },
      'x-trestle-version': 2,
      'x-trestle-reads-versions': [1, 2],
    })
    expect(messages['orders.placed']).not.toHaveProperty('x-trestle-reads-versions')
  })
})
