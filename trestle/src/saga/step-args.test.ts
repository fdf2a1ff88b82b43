import { describe, expect, it } from 'vitest'
import { ancestorsOf, idOf } from '../call/once-work.ts'
import { workOf } from './step-args.ts'

const place = {
  state: 'running',
  step: 'pay',
  undoing: false,
  pastPivot: false,
  beganAt: 1,
  tries: 0,
  spentMs: 0,
  round: 0,
} as const
const instance = (changes: object) =>
  ({ id: 'saga-1', place: { ...place, ...changes } }) as Parameters<typeof workOf>[0]

describe('the calls of a step', () => {
  it('have other keys in each round, and are all called off by its undoing', () => {
    const rounds = [0, 1, 2].map((round) => workOf(instance({ round })).scope.keyFor('payments.charge'))
    expect(new Set(rounds).size).toBe(3)
    const { cancels = '' } = workOf(instance({ undoing: true })).scope
    for (const key of rounds) expect(ancestorsOf(key)).toContain(idOf(cancels))
  })

  it('are the same when the step is repeated, and not called off by their own undoing', () => {
    const key = () => workOf(instance({ undoing: true, round: 1 })).scope.keyFor('payments.refund')
    expect(key()).toBe(key())
    const { cancels = '' } = workOf(instance({ undoing: true, round: 1 })).scope
    expect(ancestorsOf(key())).not.toContain(idOf(cancels))
  })
})
