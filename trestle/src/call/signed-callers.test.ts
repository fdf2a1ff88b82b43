import { assert, array, constantFrom, integer, option, property, record, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Caller, callerKinds } from './caller.ts'
import { callerKey, signCaller, signedCallerMaxLength, verifyCaller } from './caller-signature.ts'
import { signedCallers } from './signed-callers.ts'

const systemKey = Buffer.alloc(32, 7)
const key = callerKey(systemKey)
const noon = Date.UTC(2030, 0, 1, 12)
const minutes = 60_000
const alice: Caller = { kind: 'user', id: 'alice', scopes: ['orders:read', 'orders:write'] }

const callers = record({
  kind: constantFrom(...callerKinds),
  id: string({ unit: 'grapheme', maxLength: 60 }),
  scopes: array(string({ maxLength: 20 }), { maxLength: 10 }),
  plan: option(string({ maxLength: 10 }), { nil: undefined }),
  tenant: option(string({ maxLength: 10 }), { nil: undefined }),
})

function verified(text: string, nowMs: number): Caller | undefined {
  const found = verifyCaller(key, text, nowMs)
  return typeof found === 'object' ? found.caller : undefined
}

describe('a signed caller', () => {
  it('is the same caller at the other end, whatever it is called', () => {
    assert(
      property(callers, ({ plan, tenant, ...rest }) => {
        const caller: Caller = {
          ...rest,
          ...(plan === undefined ? {} : { plan }),
          ...(tenant === undefined ? {} : { tenant }),
        }
        expect(verified(signCaller(key, caller, noon), noon)).toStrictEqual(caller)
      }),
    )
  })

  it('is refused when one character of it was changed', () => {
    const text = signCaller(key, alice, noon)
    assert(
      property(
        integer({ min: 0, max: text.length - 1 }),
        constantFrom('A', 'x', '7', '.', '-', '€'),
        (at, character) => {
          if (text[at] === character) return
          const changed = text.slice(0, at) + character + text.slice(at + 1)
          expect(verifyCaller(key, changed, noon)).toBeUndefined()
        },
      ),
    )
  })

  it.each([
    ['nothing', ''],
    ['only a head', signCaller(key, alice, noon).slice(0, 46)],
    ['another version', signCaller(key, alice, noon).replace('1.', '2.')],
    ['a system with another key', signCaller(callerKey(Buffer.alloc(32, 8)), alice, noon)],
    ['the system key itself in place of the derived one', signCaller(systemKey, alice, noon)],
    ['too much text', 'x'.repeat(signedCallerMaxLength + 1)],
  ])('is refused when it is %s', (_, text) => {
    expect(verifyCaller(key, text, noon)).toBeUndefined()
  })

  it('is accepted for ten minutes at least and fifteen at most', () => {
    for (const late of [0, 1, 4 * minutes, 5 * minutes - 1]) {
      const text = signCaller(key, alice, noon + late)
      expect(verified(text, noon + late + 10 * minutes)).toStrictEqual(alice)
      expect(verifyCaller(key, text, noon + late + 15 * minutes)).toBe('expired')
    }
  })

  it('must not be too large', () => {
    expect(() => signCaller(key, { ...alice, id: 'x'.repeat(8_000) }, noon)).toThrow(RangeError)
  })

  it('needs a key that is long enough', () => {
    expect(() => callerKey(Buffer.alloc(16))).toThrow(RangeError)
  })
})

function processAt(startMs: number, cacheMax?: number) {
  const clock = { ms: startMs, now: () => clock.ms }
  return { clock, ...signedCallers({ systemKey, clock, ...(cacheMax === undefined ? {} : { cacheMax }) }) }
}

describe('the callers of a process', () => {
  it('are verified once: the same text gives the same object, which nobody can change', () => {
    const { encode, decode } = processAt(noon)
    const caller = decode(encode(alice))
    expect(caller).toStrictEqual(alice)
    expect(decode(encode({ ...alice }))).toBe(caller)
    expect(() => (caller as unknown as { scopes: string[] }).scopes.push('admin')).toThrow(TypeError)
    expect(() => Object.assign(caller as Caller, { id: 'bob' })).toThrow(TypeError)
  })

  it('are not remembered beyond their expiry', () => {
    const { encode, decode, clock } = processAt(noon)
    const text = encode(alice)
    expect(decode(text)).toStrictEqual(alice)
    clock.ms += 15 * minutes
    expect(decode(text)).toBe('expired')
    expect(decode(encode(alice))).toStrictEqual(alice)
  })

  it('are signed as they are now, not as they were', () => {
    const { encode, decode } = processAt(noon)
    const mutable = { kind: 'user' as const, id: 'alice', scopes: ['a'] }
    encode(mutable)
    mutable.scopes.push('b')
    expect((decode(encode(mutable)) as Caller).scopes).toEqual(['a', 'b'])
    const frozen = decode(encode(alice)) as Caller
    expect(encode(frozen)).toBe(encode(frozen))
  })

  it('are forgotten, oldest first, when they are too many, and still verified', () => {
    const { encode, decode } = processAt(noon, 2)
    const texts = ['a', 'b', 'c'].map((id) => encode({ ...alice, id }))
    const [first] = texts.map((text) => decode(text))
    expect(decode(texts[0] as string)).toStrictEqual(first)
    expect(decode(texts[0] as string)).not.toBe(first)
  })
})
