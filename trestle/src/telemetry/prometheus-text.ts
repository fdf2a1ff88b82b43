export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** The media type of the text format. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** The two comment lines of a family. Source: Prometheus text format 0.0.4. */
export function textHead(family: {
  readonly name: string
  readonly kind: MetricKind
  readonly help: string
}): string[] {
  const help = family.help.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
  return [`# HELP ${family.name} ${help}`, `# TYPE ${family.name} ${family.kind}`]
}

/** One sample. */
export function sampleLine(name: string, labels: readonly string[], values: readonly string[], value: number): string {
  const pairs = labels.map((label, at) => `${label}="${escapeLabel(values[at] ?? '')}"`).join(',')
  return `${name}${pairs === '' ? '' : `{${pairs}}`} ${numberText(value)}`
}

/** A label's value as it stands between quotes. */
export function escapeLabel(value: string): string {
  return value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`)
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
