import { describe, expect, it } from 'vitest'
import { createColors } from 'picocolors'
import { blockedTable, subscriptionsTable } from './event-tables.ts'

type Blocked = Parameters<typeof blockedTable>[0][number]

const blocked = (more: Partial<Blocked>): Blocked => ({
  service: 'desk',
  subscription: 'desk.asked',
  key: 'hard',
  why: 'parked',
  parkedAt: '2026-11-21T08:00:00.000Z',
  reason: 'Error: nobody knows',
  tries: 1,
  waiting: 2,
  missing: null,
  event: {
    id: '01980000-0000-7000-8000-000000000001',
    type: 'asked',
    version: 1,
    keyVersion: 3,
    occurredAt: '2026-11-21T08:00:00.000Z',
    payload: {},
    traceId: null,
  },
  ...more,
})

const gap = blocked({ why: 'gap', parkedAt: null, reason: null, tries: 0, missing: { from: 3, to: 4 } })

describe('the keys that wait for a person', () => {
  it('are shown with how to go on where a try has failed', () => {
    const text = blockedTable([blocked({})])
    expect(text).toMatch(/^desk +desk\.asked +hard +0198\S+ +asked +2 +2026-11-21 .*nobody knows \(1 try\)$/m)
    expect(text).toContain('trestle events redrive <service> <subscription> [key]')
    expect(text).toContain('trestle events skip <service> <subscription> <key> <event>')
    expect(text).not.toContain('replay')
  })

  it('are shown with how to go on where versions are missing', () => {
    const text = blockedTable([gap])
    expect(text).toMatch(/versions 3 to 4 have not come$/m)
    expect(text).toContain('trestle events replay <service> <subscription>')
    expect(text).toContain('trestle events skip <service> <subscription> <key> <event>')
    expect(text).not.toContain('redrive')
  })

  it('say where keys are cut, and that there may be more', () => {
    const text = blockedTable(Array.from({ length: 1_000 }, () => blocked({ key: 'k'.repeat(512) })))
    expect(text).toContain(`${'k'.repeat(60)}... `)
    expect(text).not.toContain('k'.repeat(61))
    expect(text).toContain('--json has them whole')
    expect(text).toContain('the first 1000 are listed')
  })
})

describe('the subscriptions', () => {
  const standing = {
    service: 'desk',
    name: 'desk.asked',
    stream: 'desk@1',
    generation: 1,
    puller: 'desk-1',
    unread: null,
    placeLost: false,
    waiting: 0,
    lagMs: null,
    parkedKeys: 0,
    parkedWaiting: 0,
    gapKeys: 0,
    lastFetchedAt: null,
  }
  const io = { colors: createColors(false) }

  it('show a place that is lost, and how to go on from there', () => {
    const text = subscriptionsTable([{ ...standing, placeLost: true }], io)
    expect(text).toMatch(/^desk +desk\.asked +lost +0 +\? +- +-$/m)
    expect(text).toContain('trestle events replay <service> <subscription>')
  })

  it('show that a publisher cannot be asked', () => {
    const text = subscriptionsTable([standing], io)
    expect(text).toMatch(/^desk +desk\.asked +\? +0 +\? +- +-$/m)
    expect(text).not.toContain('replay')
  })
})
