import { fullFormats } from 'ajv-formats/dist/formats.js'
import { z } from 'zod'
import type { CheckDef } from './zod-def.ts'

type FormatCheck = (text: string) => boolean

const dateTimeForm =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/
const dateForm = /^(\d{4})-(\d{2})-(\d{2})$/
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const base64Letters = /^[A-Za-z0-9+/]*={0,2}$/
const base64UrlLetters = /^[A-Za-z0-9_-]*$/

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
}

function isDate(text: string): boolean {
  const match = dateForm.exec(text)
  if (match === null) return false
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

function isDateTime(text: string): boolean {
  const match = dateTimeForm.exec(text)
  return match !== null && isDate(match[1] as string)
}

function taken(name: keyof typeof fullFormats): FormatCheck {
  const format = fullFormats[name]
  if (format instanceof RegExp) return (text) => format.test(text)
  if (typeof format === 'function') return format as FormatCheck
  return (format as { validate: FormatCheck }).validate
}

/**
 * The formats that a wire schema may name, and what each accepts. Where `ajv-formats` takes more than the standard's
 * plain form (a blank for the `T` of a date-time, `urn:uuid:`), ours is the narrower one, so that every reader in every
 * language agrees. Sources: JSON Schema 2020-12 "Validation" section 7.3, RFC 3339, RFC 9562, OpenAPI format registry.
 */
export const formats: Readonly<Record<string, FormatCheck>> = {
  'date-time': isDateTime,
  date: isDate,
  duration: taken('duration'),
  email: taken('email'),
  hostname: taken('hostname'),
  ipv4: taken('ipv4'),
  ipv6: taken('ipv6'),
  uri: taken('uri'),
  uuid: (text) => uuidForm.test(text),
  // Not by a pattern: engines run out of stack on a megabyte of it.
  byte: (text) => text.length % 4 === 0 && base64Letters.test(text),
  base64url: (text) => text.length % 4 !== 1 && base64UrlLetters.test(text),
}

/** Zod's name of a format -> the published one. Formats that are not here are published as their pattern. */
export const publishedFormat: Readonly<Record<string, string>> = {
  datetime: 'date-time',
  date: 'date',
  duration: 'duration',
  email: 'email',
  hostname: 'hostname',
  ipv4: 'ipv4',
  ipv6: 'ipv6',
  url: 'uri',
  uuid: 'uuid',
  guid: 'uuid',
  base64: 'byte',
  base64url: 'base64url',
}

/** What is published of a rule about a text. Neither: JSON Schema has no words for it. */
export interface PublishedText {
  readonly format?: string
  readonly pattern?: RegExp
}

const jwtForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/

/** The published format where there is one, with the pattern where that says more; the pattern alone otherwise. */
export function publishedText(check: CheckDef): PublishedText {
  if (check.format === 'jwt') return { pattern: jwtForm }
  const format = publishedFormat[check.format ?? '']
  const pattern = check.pattern === undefined ? {} : { pattern: check.pattern }
  if (format === undefined || isOtherThanFormat(check)) return pattern
  return saysMoreThanFormat(check) ? { format, ...pattern } : { format }
}

/** A local date-time is no `date-time`; an address by a pattern of its author's may be one that `email` does not know. */
function isOtherThanFormat({ format, local, precision, pattern }: CheckDef): boolean {
  if (format === 'email') return pattern?.source !== z.regexes.email.source
  return local === true || precision === -1
}

function saysMoreThanFormat({ version, precision }: CheckDef): boolean {
  return version !== undefined || typeof precision === 'number'
}
