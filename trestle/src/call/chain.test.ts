import { array, assert, asyncProperty, boolean } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newTrace } from '../std/trace-context.ts'
import { type Call, chain, type Interceptor, type Reply } from './call.ts'
import { anonymous } from './caller.ts'
import { platformProblem } from './problem.ts'

const call: Call = {
  contract: 'a@1',
  operation: 'b',
  input: { kind: 'value', value: {} },
  want: 'value',
  deadlineMs: 1,
  signal: new AbortController().signal,
  caller: anonymous,
  from: 'c',
  trace: newTrace(),
  key: undefined,
}
const done: Reply = { ok: true, status: 200, body: { kind: 'empty' } }
const refused: Reply = { ok: false, problem: platformProblem('forbidden') }

const last = async () => done

describe('a chain', () => {
  it('passes a call inward in the given order, as far as the first that answers, and its reply outward in reverse', async () => {
    await assert(
      asyncProperty(array(boolean(), { maxLength: 8 }), async (lettingPass) => {
        const steps: string[] = []
        const stages = lettingPass.map<Interceptor>((passes, index) => async (asked, next) => {
          steps.push(`in ${index}`)
          const reply = passes ? await next(asked) : refused
          steps.push(`out ${index}`)
          return reply
        })
        const reply = await chain(stages, async () => (steps.push('last'), done))(call)
        const reached = lettingPass.includes(false) ? lettingPass.indexOf(false) + 1 : lettingPass.length
        const indexes = [...Array(reached).keys()]
        const end = lettingPass.includes(false) ? [] : ['last']
        const inward = indexes.map((index) => `in ${index}`)
        const outward = indexes.toReversed().map((index) => `out ${index}`)
        expect(steps).toEqual([...inward, ...end, ...outward])
        expect(reply).toBe(lettingPass.includes(false) ? refused : done)
      }),
    )
  })

  it('without stages is its end', () => {
    expect(chain([], last)).toBe(last)
  })
})
