import { describe, expect, it } from 'vitest'
import { pino } from 'pino'
import { virtualClock } from '../testing/virtual-clock.ts'
import { LineBuffer } from './line-buffer.ts'

function gathered() {
  const clock = virtualClock()
  const writes: string[] = []
  const buffer = new LineBuffer({ write: (lines) => writes.push(lines) }, clock)
  const messages = () =>
    writes.map((lines) =>
      lines
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
    )
  return { clock, buffer, log: pino({}, buffer), writes, messages }
}

describe('lines of a log', () => {
  it('are written together, after 50 ms at the latest', async () => {
    const { clock, log, messages } = gathered()
    log.info('one')
    log.info('two')
    expect(messages()).toEqual([])
    await clock.advance(50)
    expect(messages()).toEqual([['one', 'two']])
    log.info('three')
    await clock.advance(50)
    expect(messages()).toEqual([['one', 'two'], ['three']])
  })

  it('are written at once with a warning or an error, in their order', () => {
    const { log, messages } = gathered()
    log.info('one')
    log.warn('two')
    log.error('three')
    expect(messages()).toEqual([['one', 'two'], ['three']])
  })

  it('are bounded in what is held', () => {
    const { log, writes } = gathered()
    log.info('x'.repeat(20_000))
    expect(writes).toHaveLength(1)
  })

  it('are written when somebody asks for it, and once', async () => {
    const { clock, buffer, log, messages } = gathered()
    log.info('one')
    buffer.flush()
    buffer.flush()
    await clock.advance(50)
    expect(messages()).toEqual([['one']])
  })
})
