import { type MetricKind, sampleLine, textHead } from './prometheus-text.ts'

/** One time series. Held by whoever counts, so that counting is an addition and no look-up. */
export interface Cell {
  /** Adds; for a gauge also a negative number. */
  add(by?: number): void
}

export interface GaugeCell extends Cell {
  set(value: number): void
}

export interface HistogramCell {
  observe(value: number): void
}

export interface Family<C> {
  /** The series with these label values, in the order in which the labels were declared. */
  with(...values: readonly string[]): C
}

export interface MetricOptions {
  readonly help: string
  readonly labels?: readonly string[]
  /** Different label sets kept; what comes beyond is counted under `other`. Default 1,000. */
  readonly seriesMax?: number
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, without infinity. Default: seconds from 1 ms to 10 s. */
  readonly buckets?: readonly number[]
}

/** The measurements of one process. Names follow Prometheus: a unit at the end, `_total` for counters. */
export interface Metrics {
  counter(name: string, options: MetricOptions): Family<Cell>
  gauge(name: string, options: MetricOptions): Family<GaugeCell>
  histogram(name: string, options: HistogramOptions): Family<HistogramCell>
  /** Runs before every `text()`: the place to read what nobody counts as it happens. */
  onCollect(read: () => void): void
  /** Prometheus text format 0.0.4. */
  text(): string
}

/** What every label of a series is when a family has as many series as it may have. */
const overflowLabel = 'other'
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const nameForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelForm = /^[a-zA-Z_][a-zA-Z0-9_]*$/

interface Series {
  readonly values: readonly string[]
}

class NumberSeries implements GaugeCell, Series {
  readonly values: readonly string[]
  value = 0
  constructor(values: readonly string[]) {
    this.values = values
  }
  add(by = 1): void {
    this.value += by
  }
  set(value: number): void {
    this.value = value
  }
}

class HistogramSeries implements HistogramCell, Series {
  readonly values: readonly string[]
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0
  constructor(values: readonly string[], bounds: readonly number[]) {
    this.values = values
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }
  observe(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at += 1
    this.counts[at] = (this.counts[at] as number) + 1
    this.sum += value
  }
}

/** All series of one name, at most `seriesMax` and one for the rest. */
class BoundedFamily<S extends Series> implements Family<S> {
  readonly name: string
  readonly kind: MetricKind
  readonly help: string
  readonly labels: readonly string[]
  readonly series = new Map<string, S>()
  readonly #seriesMax: number
  readonly #make: (values: readonly string[]) => S

  constructor(name: string, kind: MetricKind, options: MetricOptions, make: (values: readonly string[]) => S) {
    this.name = name
    this.kind = kind
    this.help = options.help
    this.labels = options.labels ?? []
    this.#seriesMax = options.seriesMax ?? 1_000
    this.#make = make
    if (!nameForm.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a metric`)
    for (const label of this.labels) {
      if (!labelForm.test(label) || label === 'le') throw new TypeError(`${name}: ${JSON.stringify(label)} is no label`)
    }
    if (this.labels.length === 0) this.with()
  }

  with(...values: readonly string[]): S {
    if (values.length !== this.labels.length) {
      throw new TypeError(`${this.name} has the labels ${this.labels.join(', ')}; ${values.length} values were given`)
    }
    const key = JSON.stringify(values)
    const known = this.series.get(key)
    if (known !== undefined) return known
    if (this.series.size >= this.#seriesMax && !values.every((value) => value === overflowLabel)) {
      return this.with(...values.map(() => overflowLabel))
    }
    const made = this.#make([...values])
    this.series.set(key, made)
    return made
  }
}

function numberLines(family: BoundedFamily<NumberSeries>): string[] {
  return [...family.series.values()].map((one) => sampleLine(family.name, family.labels, one.values, one.value))
}

function histogramLines(family: BoundedFamily<HistogramSeries>): string[] {
  const lines: string[] = []
  for (const one of family.series.values()) {
    let count = 0
    one.counts.forEach((here, at) => {
      count += here
      const bound = one.bounds[at] ?? Number.POSITIVE_INFINITY
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)
      lines.push(sampleLine(`${family.name}_bucket`, [...family.labels, 'le'], [...one.values, le], count))
    })
    lines.push(sampleLine(`${family.name}_sum`, family.labels, one.values, one.sum))
    lines.push(sampleLine(`${family.name}_count`, family.labels, one.values, count))
  }
  return lines
}

function checkBuckets(name: string, buckets: readonly number[]): void {
  const ascending = buckets.every((bound, at) => at === 0 || bound > (buckets[at - 1] as number))
  if (buckets.length === 0 || !ascending || !buckets.every(Number.isFinite)) {
    throw new TypeError(`${name}: buckets are finite upper bounds in ascending order`)
  }
}

/**
 * Makes a registry. A name that is declared twice is the same family, so that parts need not know of each other.
 * @example const requests = metrics.counter('shop_requests_total', { help: 'Requests', labels: ['route'] }).with('/cart')
 *   requests.add()
 */
export function createMetrics(): Metrics {
  const numbers = new Map<string, BoundedFamily<NumberSeries>>()
  const histograms = new Map<string, BoundedFamily<HistogramSeries>>()
  const readers: (() => void)[] = []
  const number = (kind: 'counter' | 'gauge', name: string, options: MetricOptions) => {
    const family = numbers.get(name) ?? new BoundedFamily(name, kind, options, (values) => new NumberSeries(values))
    if (family.kind !== kind || histograms.has(name)) throw new TypeError(`${name} is a metric of another kind`)
    numbers.set(name, family)
    return family
  }
  return {
    counter: (name, options) => number('counter', name, options),
    gauge: (name, options) => number('gauge', name, options),
    histogram(name, options) {
      const buckets = options.buckets ?? defaultBuckets
      checkBuckets(name, buckets)
      if (numbers.has(name)) throw new TypeError(`${name} is a metric of another kind`)
      const make = (values: readonly string[]) => new HistogramSeries(values, buckets)
      const family = histograms.get(name) ?? new BoundedFamily(name, 'histogram', options, make)
      histograms.set(name, family)
      return family
    },
    onCollect: (read) => void readers.push(read),
    text() {
      for (const read of readers) read()
      const lines: string[] = []
      for (const family of numbers.values()) lines.push(...textHead(family), ...numberLines(family))
      for (const family of histograms.values()) lines.push(...textHead(family), ...histogramLines(family))
      return lines.length === 0 ? '' : `${lines.join('\n')}\n`
    },
  }
}
