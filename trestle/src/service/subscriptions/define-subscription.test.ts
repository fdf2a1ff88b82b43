import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { contract, event } from '../../contract/index.ts'
import { effectOf, onEvent } from './define-subscription.ts'

const Thing = z.object({ id: z.string() })
const things = contract('things', {
  version: '1.0.0',
  operations: {},
  events: { made: event(Thing, { key: 'id' }), broken: event(Thing, { key: 'id' }) },
})
const others = contract('others', { version: '1.0.0', operations: {}, events: { made: event(Thing, { key: 'id' }) } })
const handle = () => Promise.resolve()

describe('a subscription', () => {
  it('to one event is named after it, to several after their contract', () => {
    const { made, broken } = things.events
    expect(onEvent(made, handle, {})).toMatchObject({ name: 'things.made', events: [made] })
    expect(onEvent([made, broken], handle, {})).toMatchObject({ name: 'things', events: [made, broken] })
    expect(effectOf([made, broken], handle, { name: 'mine' })).toMatchObject({ name: 'mine', events: [made, broken] })
  })

  it('says in its name which major version of a contract it is to, beyond the first', () => {
    const { events } = contract('things', { version: '2.1.0', operations: {}, events: things.events })
    expect(onEvent(events.made, handle, {}).name).toBe('things@2.made')
    expect(effectOf([events.made, events.broken], handle, {}).name).toBe('things@2')
    expect(onEvent(events.made, handle, { name: 'mine' }).name).toBe('mine')
  })

  it('is to something, and of one contract', () => {
    expect(() => onEvent([], handle, {})).toThrow(/to no event/)
    expect(() => effectOf([things.events.made, others.events.made], handle, {})).toThrow(/several contracts/)
  })
})
