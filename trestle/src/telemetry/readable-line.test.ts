import { describe, expect, it } from 'vitest'
import { createLog } from './log.ts'
import { readableLine } from './readable-line.ts'

function written(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = ''
  write(createLog({ name: 'gateway-1', destination: { write: (line) => (text += readableLine(line)) } }))
  return text
}

const request = { method: 'GET', path: '/products', status: 200, durationMs: 30.71, operation: 'catalogue.list' }

describe('a log line on a terminal', () => {
  it('says a request in a few words', () => {
    const line = written((log) => log.info({ ...request, requestId: 'r', traceId: 't', bytesIn: 0 }, 'request'))
    expect(line).toMatch(/^\d\d:\d\d:\d\d gateway-1 GET \/products 200 31 ms catalogue\.list\n$/)
  })

  it('says why a request failed, and where to look when it was our fault', () => {
    const failed = { ...request, status: 500, code: 'internal', traceId: 'abc' }
    const line = written((log) => log.info(failed, 'request'))
    expect(line).toMatch(/ 500 31 ms catalogue\.list internal trace abc\n$/)
  })

  it('names the level of what is more than information, with its fields', () => {
    const line = written((log) => log.warn({ peer: 'orders-1', reason: 'it is gone' }, 'a link was closed'))
    expect(line).toMatch(/ gateway-1 warn a link was closed peer=orders-1 reason="it is gone"\n$/)
  })

  it('shows the stack of an error below the line', () => {
    const line = written((log) => log.error({ err: new Error('broken') }, 'a handler failed'))
    expect(line).toMatch(/ error a handler failed\n {4}Error: broken\n {4} +at /)
  })

  it('shows control characters and does not let them through', () => {
    const line = written((log) => {
      log.info({ ...request, path: '/\u001b[2Ja\u009b1mb' }, 'request')
      log.error({ err: new Error('a\u0007\nb') }, 'c\rd')
    })
    expect(line).toContain('/\\u001b[2Ja\\u009b1mb')
    expect(line.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})
