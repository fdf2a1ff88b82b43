const field = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/
const staticSegment = /^[A-Za-z0-9_.~!$&'()+,=:@-]*$/

/** The names of a template's fields, in order; a catch-all has none. @throws TypeError for a template that cannot be matched */
export function fieldsOf(template: string): readonly string[] {
  return segmentsOf(template).flatMap((segment) => field.exec(segment)?.[1] ?? [])
}

/** Whether a template ends in `/*`, which takes every path below, and the path before it. */
export function isCatchAll(template: string): boolean {
  return template.endsWith('/*')
}

function segmentsOf(template: string): readonly string[] {
  const segments = (isCatchAll(template) ? template.slice(0, -2) : template).split('/')
  const bad = segments.find((segment) => !field.test(segment) && !staticSegment.test(segment))
  if (!template.startsWith('/') || bad !== undefined) {
    throw new TypeError(
      `${JSON.stringify(template)} is no path of a route: it starts with /, each segment is literal text or one {field}, ` +
        'and only the last one may be *',
    )
  }
  return segments.slice(1)
}

/** The shape of a template: fields by position, so that two names for one place collide. */
export function shapeOf(template: string): string {
  let position = 0
  const parts = segmentsOf(template).map((segment) =>
    field.test(segment) ? `:p${position++}` : segment.replaceAll(':', '::'),
  )
  return `/${[...parts, ...(isCatchAll(template) ? ['*'] : [])].join('/')}`
}
