import { describe, expect, it } from 'vitest'
import { accessLog, type AccessRecord, createLog, type LogLevel, redactedFields } from './index.ts'

function capture(level: LogLevel = 'info') {
  const lines: string[] = []
  const log = createLog({ name: 'orders', level, destination: { write: (line) => void lines.push(line) } })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> }
}

describe('a log', () => {
  it('writes one JSON object per line', () => {
    const { log, lines, last } = capture()
    log.child({ service: 'orders' }).info({ orderId: 'a\nb' }, 'placed')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1)
    expect(last()).toMatchObject({
      level: 'info',
      name: 'orders',
      service: 'orders',
      orderId: 'a\nb',
      message: 'placed',
      pid: process.pid,
    })
  })

  it('keeps to its level', () => {
    const { log, lines } = capture('warn')
    log.debug({}, 'no')
    log.info({}, 'no')
    log.warn({}, 'yes')
    log.error({ err: new Error('cause') }, 'yes')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('cause')
  })

  it('says what failed once, and the causes in the stack', () => {
    const { log, last } = capture()
    log.error({ err: 'thrown' }, 'x')
    expect(last()).toMatchObject({ err: 'thrown' })
    log.error({ err: new Error('orders failed', { cause: new Error('disk full') }) }, 'x')
    expect(last()).toMatchObject({ err: { message: 'orders failed', stack: expect.stringContaining('disk full') } })
  })

  it.each(redactedFields)('never writes the value of %s', (field) => {
    const { log, lines } = capture()
    const upper = `${field[0]?.toUpperCase()}${field.slice(1)}`
    log.info({ [field]: 'hunter2', request: { [upper]: 'hunter2', headers: { [field]: 'hunter2' } } }, 'x')
    log.child({ [field]: 'hunter2' }).info({}, 'x')
    expect(lines.join('')).not.toContain('hunter2')
    expect(lines[0]).toContain('[redacted]')
  })
})

describe('redaction', () => {
  it('reaches spellings, lists and errors, and ends in depth and in circles', () => {
    const { log, lines } = capture()
    const circle: Record<string, unknown> = { 'X-Api-Key': 'hunter2', list: [{ api_key: 'hunter2' }] }
    circle['self'] = circle
    const err = Object.assign(new Error('failed'), { password: 'hunter2', hint: 'kept' })
    log.error({ circle, err, monkey: 'kept', tokens: 3 }, 'x')
    expect(lines.join('')).not.toContain('hunter2')
    expect(lines[0]).toContain('"monkey":"kept","tokens":3')
    expect(lines[0]).toContain('"hint":"kept"')
    expect(lines[0]).toContain('failed')
  })
})

describe('the access log', () => {
  it('writes a line per request and cuts what is too long', () => {
    const { log, last } = capture()
    const record: AccessRecord = {
      method: 'GET',
      path: `/${'a'.repeat(5_000)}`,
      route: '/{x}',
      operation: 'a.b',
      status: 200,
      code: undefined,
      durationMs: 1.23456,
      requestId: 'r',
      traceId: 't',
      callerKind: 'user',
      callerId: 'u',
      remoteAddress: '::1',
      bytesIn: 0,
      bytesOut: 3,
    }
    accessLog(log)(record)
    expect(last()).toMatchObject({ message: 'request', status: 200, durationMs: 1.23, callerId: 'u' })
    expect((last()['path'] as string).length).toBeLessThan(1_100)
  })
})
