/** A JSON object of which nothing is known yet. */
export type Json = { [name: string]: unknown }

/** The value as an object; an empty one when it is none. */
export function asObject(value: unknown): Json {
  return isObject(value) ? value : {}
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as text, when it is text. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The objects of an array; none when it is none. */
export function asObjects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Names and members of an object that are objects themselves. */
export function members(value: unknown): readonly (readonly [name: string, member: Json])[] {
  return Object.entries(asObject(value)).filter((entry): entry is [string, Json] => isObject(entry[1]))
}

/** A copy with each object passed through `change`, the innermost first. */
export function mapObjects(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, change))
  if (!isObject(value)) return value
  return change(Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapObjects(inner, change)])))
}
