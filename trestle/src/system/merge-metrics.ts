/** The measurements of one process, and the labels that tell them from those of the others. */
export interface MetricsPart {
  readonly labels: Readonly<Record<string, string>>
  /** Prometheus text. */
  readonly text: string
}

interface Family {
  readonly head: string[]
  readonly samples: string[]
}

/**
 * Joins the Prometheus texts of several processes into one: each family once, its samples with the process's labels.
 * Source: Prometheus text format 0.0.4: all lines of a family stand together, HELP and TYPE come once.
 */
export function mergeMetrics(parts: readonly MetricsPart[]): string {
  const families = new Map<string, Family>()
  for (const part of parts) addPart(families, part)
  const lines = [...families.values()].flatMap((family) => [...family.head, ...family.samples])
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function addPart(families: Map<string, Family>, { labels, text }: MetricsPart): void {
  const extra = Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',')
  const started = new Set<string>()
  let current = ''
  for (const line of text.split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) (\S+)/.exec(line)
    if (comment !== null) {
      current = comment[2] as string
      const family = familyOf(families, current)
      // The first process that has a family describes it.
      if (family.samples.length === 0 || started.has(current)) {
        if (!family.head.some((known) => known.startsWith(`# ${comment[1]} `))) family.head.push(line)
      }
      started.add(current)
    } else if (!line.startsWith('#')) {
      const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? ''
      const family = current !== '' && name.startsWith(current) ? current : name
      familyOf(families, family).samples.push(withLabels(line, extra))
    }
  }
}

function familyOf(families: Map<string, Family>, name: string): Family {
  let family = families.get(name)
  if (family === undefined) families.set(name, (family = { head: [], samples: [] }))
  return family
}

function withLabels(line: string, extra: string): string {
  const brace = line.indexOf('{')
  if (brace === -1) return line.replace(' ', `{${extra}} `)
  const rest = line.slice(brace + 1)
  return `${line.slice(0, brace)}{${extra}${rest.startsWith('}') ? '' : ','}${rest}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`)
}
