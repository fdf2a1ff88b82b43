import { isObject, type Json } from './json.ts'

const single = ['items', 'additionalProperties', 'not'] as const
const lists = ['allOf', 'anyOf', 'oneOf'] as const

/** A schema of OpenAPI 3.0 as OpenAPI 3.1, JSON Schema 2020-12, says it. Source: OpenAPI 3.1.0 migration notes. */
export function upgradeSchema(schema: unknown): unknown {
  if (!isObject(schema)) return schema
  // In 3.0 what stands beside a reference is ignored.
  if (typeof schema['$ref'] === 'string') return { $ref: schema['$ref'] }
  const out: Json = { ...schema }
  for (const name of single) if (name in out) out[name] = upgradeSchema(out[name])
  for (const name of lists) if (Array.isArray(out[name])) out[name] = (out[name] as unknown[]).map(upgradeSchema)
  if (isObject(out['properties'])) {
    out['properties'] = Object.fromEntries(
      Object.entries(out['properties']).map(([name, property]) => [name, upgradeSchema(property)]),
    )
  }
  upgradeBound(out, 'exclusiveMinimum', 'minimum')
  upgradeBound(out, 'exclusiveMaximum', 'maximum')
  if ('example' in out) {
    out['examples'] ??= [out['example']]
    delete out['example']
  }
  return upgradeNullable(out)
}

function upgradeBound(out: Json, exclusive: string, bound: string): void {
  const said = out[exclusive]
  if (typeof said !== 'boolean') return
  const holds = said && bound in out
  delete out[exclusive]
  if (!holds) return
  out[exclusive] = out[bound]
  delete out[bound]
}

function upgradeNullable({ nullable, ...out }: Json): Json {
  if (nullable !== true) return out
  if (typeof out['type'] !== 'string') return { anyOf: [onlyOne(out), { type: 'null' }] }
  const values = out['enum']
  return {
    ...out,
    type: [out['type'], 'null'],
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {}),
  }
}

/** `allOf` of one schema is how 3.0 says something beside a reference. */
function onlyOne(schema: Json): unknown {
  const all = schema['allOf']
  return Array.isArray(all) && all.length === 1 && Object.keys(schema).length === 1 ? all[0] : schema
}
