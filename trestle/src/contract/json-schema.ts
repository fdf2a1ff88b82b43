import { z } from 'zod'
import { publishedText } from './formats.ts'
import { hasDefault, wireDefault } from './wire-default.ts'
import { type CheckDef, checksOf, defOf, isCodec } from './zod-def.ts'

/** A JSON Schema 2020-12 as plain data. */
export type JsonSchema = { [keyword: string]: unknown }

/**
 * Which way a value goes. `request`: what a sender may write; a field with a default may be left out.
 * `reply`: what a reader will find; such a field is always there.
 */
export type Direction = 'request' | 'reply'

/** Marks a schema that a Zod codec checks and decodes further after JSON Schema has accepted it. */
export const codecMark = 'x-trestle-codec'

interface Override {
  readonly zodSchema: z.core.$ZodTypes
  readonly jsonSchema: JsonSchema
}

/**
 * The JSON Schema of a wire schema: always its wire side (`io: 'input'`), open objects, formats instead of long
 * patterns, discriminators said, codecs marked. Named schemas (`.meta({ id })`) are `$defs`, referred to by `$ref`.
 */
export function jsonSchemaOf(schema: z.ZodType, direction: Direction): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-2020-12',
    override: (context) => mend(context as unknown as Override, direction),
  }) as JsonSchema
  const { $schema: _dialect, '~standard': _standard, ...rest } = made
  return rest
}

function mend({ zodSchema, jsonSchema }: Override, direction: Direction): void {
  const def = defOf(zodSchema)
  if (isCodec(zodSchema)) jsonSchema[codecMark] = true
  switch (def.type) {
    case 'string':
      return mendString(zodSchema, jsonSchema)
    case 'object':
      if (direction === 'reply') requireDefaults(def.shape, jsonSchema)
      return
    case 'union':
      return addDiscriminator(def, jsonSchema)
    case 'default':
      return encodeDefault(def, jsonSchema)
    case 'record':
      return mendRecord(jsonSchema)
    case 'readonly':
      // Zod's `readonly` freezes a value in memory; JSON Schema's `readOnly` says that a server sets a field. Not the same.
      delete jsonSchema['readOnly']
      return
    default:
  }
}

function keywordsOf(check: CheckDef): JsonSchema {
  const { format, pattern } = publishedText(check)
  return { ...(format === undefined ? {} : { format }), ...(pattern === undefined ? {} : { pattern: pattern.source }) }
}

/** Zod's own keywords are replaced: it says a format's long pattern too, and formats that nobody knows. */
function mendString(zodSchema: z.core.$ZodType, schema: JsonSchema): void {
  delete schema['format']
  delete schema['pattern']
  delete schema['allOf']
  const keywords = checksOf(zodSchema)
    .filter(({ check }) => check === 'string_format')
    .map(keywordsOf)
  const collides = (key: string) => keywords.filter((k) => k[key] !== undefined).length > 1
  if (collides('format') || collides('pattern')) schema['allOf'] = keywords
  else Object.assign(schema, ...keywords)
  if (schema['contentEncoding'] === 'base64url') delete schema['contentEncoding']
}

function requireDefaults(shape: Readonly<Record<string, z.core.$ZodType>>, schema: JsonSchema): void {
  const required = (schema['required'] as string[] | undefined) ?? []
  const always = Object.keys(shape).filter((key) => required.includes(key) || hasDefault(shape[key] as z.core.$ZodType))
  if (always.length > 0) schema['required'] = always
}

function encodeDefault(def: z.core.$ZodDefaultDef, schema: JsonSchema): void {
  schema['default'] = JSON.parse(JSON.stringify(wireDefault(def)))
}

function addDiscriminator(def: z.core.$ZodUnionDef, schema: JsonSchema): void {
  const name = (def as Partial<z.core.$ZodDiscriminatedUnionDef>).discriminator
  if (name === undefined) return
  const simple = def.options.every((option) => defOf(option).type === 'object')
  if (!simple || schema['oneOf'] === undefined) return
  schema['discriminator'] = { propertyName: name }
  // Ajv looks at the discriminator of objects only, and then no longer at `oneOf`: without this a text would pass.
  schema['type'] = 'object'
}

/** Names are strings in every JSON object: saying so is noise. */
function mendRecord(schema: JsonSchema): void {
  const names = schema['propertyNames'] as JsonSchema | undefined
  if (names !== undefined && Object.keys(names).length === 1 && names['type'] === 'string')
    delete schema['propertyNames']
}
