import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { command } from '../contract/define-operation.ts'
import { callInput } from './call-input.ts'

const operation = command({
  input: z.object({
    sku: z.string(),
    quantity: z.int(),
    gift: z.boolean(),
    note: z.string().nullable().optional(),
    lines: z.array(z.object({ sku: z.string() })).optional(),
  }),
})

describe('the input of a call', () => {
  it('is typed by the contract', () => {
    const args = ['sku=12', 'quantity=3', 'gift=true', 'lines=[{"sku":"A"}]']
    expect(callInput(operation, args, undefined)).toEqual({ sku: '12', quantity: 3, gift: true, lines: [{ sku: 'A' }] })
  })

  it('keeps text that has not the form of its type, so that the service says what is wrong', () => {
    expect(callInput(operation, ['quantity=three'], undefined)).toEqual({ quantity: 'three' })
  })

  it('keeps everything behind the first equals sign', () => {
    expect(callInput(operation, ['sku=a=b'], undefined)).toEqual({ sku: 'a=b' })
  })

  it('may be JSON as a whole', () => {
    expect(callInput(operation, [], '{"sku":"A"}')).toEqual({ sku: 'A' })
  })

  it.each([
    [['sku'], undefined, 'sku is not of the form field=value'],
    [['size=1'], undefined, 'there is no field size'],
    [['lines=A'], undefined, 'lines must be JSON'],
    [[], '{', '--input must be JSON'],
    [['sku=A'], '{}', 'not both'],
  ])('cannot be %j with --input %s', (args, json, message) => {
    expect(() => callInput(operation, args, json)).toThrow(message)
  })
})
