import { describe, expect, it } from 'vitest'
import { HttpError } from '../../http/message.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { failureResponse } from '../reply/failure-response.ts'
import { refused } from '../reply/problem-response.ts'
import { watched } from './watched.ts'

const notes = { cached: false } as EdgeRequest['notes']
const request = { notes } as EdgeRequest
const log = { error: () => undefined }

describe('usage and quotas are told the status that the client gets', () => {
  it.each([
    ['a refusal', refused('forbidden'), 403],
    ['a body that is too large', new HttpError('body_too_large', 'x'), 413],
    ['a body that stops', new HttpError('body_timeout', 'x'), 408],
    ['a client that leaves', new HttpError('aborted', 'x'), 499],
    ['a server behind the gateway that breaks off', new HttpError('reset', 'x'), 500],
    ['a fault', new Error('x'), 500],
  ])('of %s', async (_, error, status) => {
    expect(failureResponse(error, 'trace', { ...notes }, log).status).toBe(status)
    const told: number[] = []
    const tell = (one: number) => void told.push(one)
    expect(() =>
      watched(
        request,
        () => {
          throw error
        },
        tell,
      ),
    ).toThrow(error)
    await expect(watched(request, () => Promise.reject(error), tell)).rejects.toBe(error)
    expect(told).toEqual([status, status])
  })

  it('of a reply, and whether a cache had it', async () => {
    const told: (readonly [number, boolean])[] = []
    const tell = (...one: [number, boolean]) => void told.push(one)
    const ok = { status: 204, headers: [] }
    expect(watched(request, () => ok, tell)).toBe(ok)
    const fromCache = { ...request, notes: { ...notes, cached: true } }
    expect(await watched(fromCache, () => Promise.resolve(ok), tell)).toBe(ok)
    expect(told).toEqual([
      [204, false],
      [204, true],
    ])
  })
})
