import { describe, expect, it } from 'vitest'
import { createMetrics, mergeMetrics, processGauges } from './index.ts'

describe('metrics', () => {
  it('are written as Prometheus text', () => {
    const metrics = createMetrics()
    const requests = metrics.counter('requests_total', { help: 'Requests\nanswered.', labels: ['route'] })
    requests.with('/a"b\\').add()
    requests.with('/a"b\\').add(2)
    metrics.gauge('size_bytes', { help: 'Size.' }).with().set(7)
    const took = metrics.histogram('took_seconds', { help: 'Time.', buckets: [0.1, 1] }).with()
    for (const value of [0.1, 0.5, 5]) took.observe(value)
    expect(metrics.text()).toBe(
      [
        String.raw`# HELP requests_total Requests\nanswered.`,
        '# TYPE requests_total counter',
        String.raw`requests_total{route="/a\"b\\"} 3`,
        '# HELP size_bytes Size.',
        '# TYPE size_bytes gauge',
        'size_bytes 7',
        '# HELP took_seconds Time.',
        '# TYPE took_seconds histogram',
        'took_seconds_bucket{le="0.1"} 1',
        'took_seconds_bucket{le="1"} 2',
        'took_seconds_bucket{le="+Inf"} 3',
        'took_seconds_sum 5.6',
        'took_seconds_count 3',
        '',
      ].join('\n'),
    )
  })

  it('have a bounded number of series; the rest is counted together', () => {
    const metrics = createMetrics()
    const family = metrics.counter('x_total', { help: 'x', labels: ['id'], seriesMax: 3 })
    for (let n = 0; n < 10_000; n += 1) family.with(String(n)).add()
    expect(
      metrics
        .text()
        .split('\n')
        .filter((line) => line.startsWith('x_total')),
    ).toEqual(['x_total{id="0"} 1', 'x_total{id="1"} 1', 'x_total{id="2"} 1', 'x_total{id="other"} 9997'])
  })

  it('do not confuse label values that would join to the same text', () => {
    const family = createMetrics().counter('x_total', { help: 'x', labels: ['a', 'b'] })
    expect(family.with('1,2', '3')).not.toBe(family.with('1', '2,3'))
    expect(family.with('1', '2')).toBe(family.with('1', '2'))
  })

  it('are one family under one name, and refuse what is none', () => {
    const metrics = createMetrics()
    expect(metrics.counter('a_total', { help: 'a' }).with()).toBe(metrics.counter('a_total', { help: 'a' }).with())
    expect(() => metrics.gauge('a_total', { help: 'a' })).toThrow(/another kind/)
    expect(() => metrics.histogram('a_total', { help: 'a' })).toThrow(/another kind/)
    expect(() => metrics.counter('a b', { help: 'a' })).toThrow(/no name/)
    expect(() => metrics.counter('b', { help: 'a', labels: ['le'] })).toThrow(/no label/)
    expect(() => metrics.histogram('c', { help: 'a', buckets: [2, 1] })).toThrow(/ascending/)
    expect(() => metrics.counter('d', { help: 'a', labels: ['x'] }).with()).toThrow(/labels x/)
  })

  it('tell CPU, memory and the delay of the event loop', () => {
    const metrics = createMetrics()
    const gauges = processGauges(metrics)
    const value = (name: string) =>
      Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics.text())?.[1])
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(value('process_start_time_seconds')).toBeGreaterThan(1_600_000_000)
    expect(value('nodejs_eventloop_delay_seconds')).toBeGreaterThanOrEqual(0)
    gauges.stop()
  })
})

describe('merged metrics', () => {
  it('have each family once, with the added labels on every sample', () => {
    const metrics = createMetrics()
    metrics
      .counter('a_total', { help: 'a', labels: ['route'] })
      .with('x} 1')
      .add()
    metrics
      .counter('a_total', { help: 'a', labels: ['route'] })
      .with(String.raw`q\"`)
      .add()
    metrics.gauge('b', { help: 'b' }).with().set(1)
    const text = metrics.text()
    const merged = mergeMetrics([
      { labels: { process: 'one' }, text },
      { labels: { process: 'two"' }, text },
    ])
    expect(merged.match(/# TYPE a_total counter/g)).toHaveLength(1)
    expect(merged).toContain('a_total{process="one",route="x} 1"} 1')
    expect(merged).toContain(String.raw`b{process="two\""} 1`)
    expect(merged.split('\n').filter((line) => line.startsWith('a_total'))).toHaveLength(4)
    expect(merged.indexOf('# TYPE b gauge')).toBeGreaterThan(merged.lastIndexOf('a_total{'))
  })

  it("put the added label in the place of a sample's own", () => {
    expect(mergeMetrics([{ labels: { process: 'one' }, text: '# TYPE a gauge\na{process="self",x="y"} 1\n' }])).toBe(
      '# TYPE a gauge\na{process="one",x="y"} 1\n',
    )
    expect(mergeMetrics([])).toBe('')
  })
})
