import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { recordedIo } from './fixtures/recorded-io.ts'
import { startProgress } from './progress.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const now = () => Date.now() - start
let start = 0
beforeEach(() => {
  start = Date.now()
})

describe('progress', () => {
  it.each([true, false])('says nothing about what takes less than a second (terminal: %s)', (terminal) => {
    const io = recordedIo({ terminal, now })
    const progress = startProgress(io)
    progress.step('starting')
    vi.advanceTimersByTime(900)
    progress.stop()
    vi.advanceTimersByTime(5_000)
    expect(io.said.err).toBe('')
  })

  it('moves on one line of a terminal and takes it away', () => {
    const io = recordedIo({ terminal: true, now })
    const progress = startProgress(io)
    progress.step('loading products')
    vi.advanceTimersByTime(2_000)
    progress.stop()
    expect(io.said.err).toContain('loading products')
    expect(io.said.err).not.toContain('\n')
    expect(io.said.err.endsWith('\r\u001B[2K')).toBe(true)
  })

  it('is a plain line per step elsewhere, the first one too when it lasts', () => {
    const io = recordedIo({ now })
    const progress = startProgress(io)
    progress.step('starting')
    vi.advanceTimersByTime(1_500)
    progress.step('loading products')
    progress.step('loading products')
    progress.stop()
    expect(io.said.err).toBe('starting (1.0 s)\nloading products (1.5 s)\n')
  })
})
