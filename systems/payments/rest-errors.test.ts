import { describe, expect, it } from 'vitest'
import { restErrors } from './rest-errors.ts'

const invalid = (pointer: string, detail: string) =>
  restErrors(
    {
      code: 'invalid_input',
      status: 400,
      title: 'The input does not match the contract',
      declared: false,
      errors: [{ pointer, detail }],
    },
    { traceId: 't', path: '/v2/checkout/orders' },
  )

describe('the errors of the API', () => {
  it('say in a sentence what is wrong with a field, and with the body as a whole', () => {
    expect(invalid('/intent', 'is required')).toMatchObject({
      name: 'INVALID_REQUEST',
      details: [{ field: '/intent', description: 'The value is required' }],
    })
    expect(invalid('', 'the body is not JSON')).toMatchObject({
      details: [{ field: '', description: 'The body is not JSON' }],
    })
  })
})
