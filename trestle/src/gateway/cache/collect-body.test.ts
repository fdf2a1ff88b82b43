import { expect, it } from 'vitest'
import { collectBody, discardBody } from './collect-body.ts'

/** A reply with an endless body, of which more came than may be collected. */
async function tooLong() {
  const state = { sent: 0, returned: 0 }
  const source: AsyncIterator<Uint8Array> = {
    async next() {
      state.sent += 1
      return { done: false, value: Buffer.from([state.sent]) }
    },
    async return() {
      state.returned += 1
      return { done: true, value: undefined }
    },
  }
  const body = { [Symbol.asyncIterator]: () => source }
  const collected = await collectBody({ status: 200, headers: [], body }, 2)
  if (collected.whole) throw new Error('it is not too long')
  return { state, response: collected.response }
}

it('a body that is too long is given back as it was', async () => {
  const { state, response } = await tooLong()
  const read: number[] = []
  for await (const [byte = 0] of response.body as AsyncIterable<Uint8Array>) if (read.push(byte) === 5) break
  expect(read).toEqual([1, 2, 3, 4, 5])
  expect(state.returned).toBe(1)
})

it('a body that is too long lets go of its source also when nobody reads it', async () => {
  const { state, response } = await tooLong()
  await discardBody(response)
  expect(state.returned).toBe(1)
})
