const field = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/
const staticSegment = /^[A-Za-z0-9_.~!$&'()+,=:@-]*$/

/** One part of a template, between slashes. */
export type Segment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string }
  /** Only the last one: everything below, and the path before it. */
  | { readonly kind: 'catch-all' }

/** The names of a template's fields, in order; a catch-all has none. @throws TypeError for a template that cannot be matched */
export function fieldsOf(template: string): readonly string[] {
  return segmentsOf(template).flatMap((segment) => (segment.kind === 'field' ? [segment.name] : []))
}

/** Whether a template ends in `/*`, which takes every path below, and the path before it. */
export function isCatchAll(template: string): boolean {
  return template.endsWith('/*')
}

/** The parts of a template. @throws TypeError for a template that cannot be matched */
export function segmentsOf(template: string): readonly Segment[] {
  const all = template.startsWith('/') ? template.slice(1).split('/') : []
  const segments = all.map((text, at) => segmentOf(text, at === all.length - 1))
  if (segments.length === 0 || segments.includes(undefined)) {
    throw new TypeError(
      `${JSON.stringify(template)} is no path of a route: it starts with /, each segment is literal text or one {field}, ` +
        'and only the last one may be *',
    )
  }
  return segments as readonly Segment[]
}

function segmentOf(text: string, last: boolean): Segment | undefined {
  if (text === '*') return last ? { kind: 'catch-all' } : undefined
  const name = field.exec(text)?.[1]
  if (name !== undefined) return { kind: 'field', name }
  // A canonical path has no dot segment: such a route could never be reached.
  return staticSegment.test(text) && text !== '.' && text !== '..' ? { kind: 'static', text } : undefined
}

/** The shape of a template: fields by position, so that two names for one place collide. */
export function shapeOf(template: string): string {
  const parts = segmentsOf(template).map((segment) =>
    segment.kind === 'static' ? segment.text : segment.kind === 'field' ? '{}' : '*',
  )
  return `/${parts.join('/')}`
}
