import { expect, it } from 'vitest'
import { encodeStream } from './encode.ts'

it.each(['br', 'gzip'] as const)(
  'what nobody reads of %s lets go of its source',
  async (coding) => {
    const { promise: gone, resolve: letGo } = Promise.withResolvers<string>()
    const source: AsyncIterator<Uint8Array> = {
      // Nothing comes of it any more.
      next: () => new Promise(() => undefined),
      async return() {
        letGo('gone')
        return { done: true, value: undefined }
      },
    }
    const encoded = encodeStream({ [Symbol.asyncIterator]: () => source }, coding)
    await encoded[Symbol.asyncIterator]().return?.()
    expect(await gone).toBe('gone')
  },
  2_000,
)
