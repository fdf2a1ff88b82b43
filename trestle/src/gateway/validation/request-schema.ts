import { compileValidator, type Validate } from '../../contract/validator.ts'
import { isObject, type Json, mapObjects } from '../document/json.ts'

/**
 * Compiles a schema of a document as it holds for requests: fields that only the server sets need not be there.
 * @throws TypeError when the schema is none
 */
export function compileRequestSchema(schema: unknown, components: Json, place: string): Validate {
  const validate = compileValidator({
    ...(forRequests(schema) as Json),
    components: { schemas: forRequests(components['schemas'] ?? {}) },
  })
  try {
    // Compiles: what is wrong with it should be known when the gateway starts.
    validate(null)
  } catch (error) {
    throw new TypeError(`${place}: its schema cannot be used: ${(error as Error).message}`, { cause: error })
  }
  return validate
}

function forRequests(schemas: unknown): unknown {
  return mapObjects(schemas, (schema) => {
    const out = Object.fromEntries(Object.entries(schema).filter(([name, inner]) => !isNote(name, inner)))
    const { required, properties } = out
    if (!Array.isArray(required) || !isObject(properties)) return out
    const sent = (required as unknown[]).filter((name) => {
      const property = properties[String(name)]
      return !(isObject(property) && property['readOnly'] === true)
    })
    return { ...out, required: sent }
  })
}

/** What the validator would take for its own: names of schemas, and a mapping to components that it does not read. */
function isNote(name: string, value: unknown): boolean {
  if (name === '$id' || name === '$schema' || name === '$anchor') return typeof value === 'string'
  return name === 'discriminator' && isObject(value) && typeof value['propertyName'] === 'string'
}
