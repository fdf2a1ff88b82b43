const field = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/
const staticSegment = /^[A-Za-z0-9_.~!$&'()+,=:@-]*$/

/** The names of a template's fields, in order. @throws TypeError for a template that cannot be matched */
export function fieldsOf(template: string): readonly string[] {
  return segmentsOf(template).flatMap((segment) => field.exec(segment)?.[1] ?? [])
}

function segmentsOf(template: string): readonly string[] {
  const segments = template.split('/')
  const bad = segments.find((segment) => !field.test(segment) && !staticSegment.test(segment))
  if (!template.startsWith('/') || bad !== undefined) {
    throw new TypeError(
      `${JSON.stringify(template)} is no path of a route: it starts with / and each segment is literal text or one {field}`,
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
  return `/${parts.join('/')}`
}
