import { escapeLabel } from './prometheus-text.ts'

/** The measurements of one process, and the labels that tell them from those of others. */
export interface MetricsPart {
  readonly labels: Readonly<Record<string, string>>
  /** Prometheus text format 0.0.4. */
  readonly text: string
}

interface MergedFamily {
  readonly head: readonly string[]
  readonly samples: string[]
}

/**
 * Joins the texts of several processes: each family once, with every process's samples under added labels. A process's
 * own label of the same name loses its place to the added one.
 */
export function mergeMetrics(parts: readonly MetricsPart[]): string {
  const families = new Map<string, MergedFamily>()
  for (const { labels, text } of parts) {
    const added = Object.entries(labels).map(([name, value]) => [name, escapeLabel(value)] as const)
    for (const { name, head, samples } of familiesOf(text)) {
      const family = families.get(name) ?? { head, samples: [] }
      families.set(name, family)
      for (const sample of samples) family.samples.push(labelled(sample, added))
    }
  }
  const lines = [...families.values()].flatMap((family) => [...family.head, ...family.samples])
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Splits a text into families: everything under one `# HELP` or `# TYPE`. */
function* familiesOf(text: string): Generator<{ name: string; head: string[]; samples: string[] }> {
  let family: { name: string; head: string[]; samples: string[] } | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const named = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1]
    if (named !== undefined && named !== family?.name) {
      if (family !== undefined) yield family
      family = { name: named, head: [], samples: [] }
    }
    if (line.startsWith('#')) family?.head.push(line)
    else family?.samples.push(line)
  }
  if (family !== undefined) yield family
}

const sampleForm = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+(?: \S+)?)$/

function labelled(sample: string, added: readonly (readonly [string, string])[]): string {
  const match = sampleForm.exec(sample)
  if (match === null) return `# ${sample}`
  const [, name, own = '', value] = match
  const names = new Set(added.map(([label]) => label))
  const kept = [...own.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)]
    .filter(([, label]) => !names.has(label as string))
    .map(([pair]) => pair)
  const pairs = [...added.map(([label, text]) => `${label}="${text}"`), ...kept].join(',')
  return `${name}${pairs === '' ? '' : `{${pairs}}`} ${value}`
}
