import { z } from 'zod'

/** The input fields of an operation that answers in pages. */
export interface PageInputOptions {
  /** Items when the caller does not say; default 20. */
  readonly limitDefault?: number
  /** Most items of one page; default 100. */
  readonly limitMax?: number
}

/**
 * The input fields `cursor` and `limit` of an operation that answers in pages.
 * @example get('/orders', { input: z.object({ status: Status.optional(), ...pageInput() }), output: page(Order) })
 */
export function pageInput({ limitDefault = 20, limitMax = 100 }: PageInputOptions = {}) {
  return {
    cursor: z
      .string()
      .max(cursorCharactersMax)
      .optional()
      .describe('Where to go on: `next` of the page before. Opaque.'),
    limit: z.int().min(1).max(limitMax).default(limitDefault).describe('Most items of the page.'),
  }
}

/**
 * One page of a list: its items and the cursor of the next page, `null` after the last.
 * @example output: page(Order)
 */
export function page<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Cursor of the next page; null: this is the last.'),
  })
}

/** A cursor is never longer. */
export const cursorCharactersMax = 1_024

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Writes where a list goes on as an opaque cursor: base64url of JSON.
 * It is not secret and not signed: put into it only what the caller may see and change.
 * @throws RangeError beyond 1,024 characters
 * @example encodeCursor([last.createdAt, last.id])
 */
export function encodeCursor(position: unknown): string {
  const cursor = Buffer.from(JSON.stringify(position), 'utf8').toString('base64url')
  if (cursor.length > cursorCharactersMax) {
    throw new RangeError(`a cursor has at most ${cursorCharactersMax} characters, this one ${cursor.length}`)
  }
  return cursor
}

/**
 * Reads a cursor that `encodeCursor` wrote; `undefined` when it is anything else. Strict: one position has one cursor.
 * @example const after = decodeCursor(input.cursor, z.tuple([z.iso.datetime(), z.uuid()])) ?? fail('bad_cursor')
 */
export function decodeCursor<Position extends z.ZodType>(
  cursor: string,
  schema: Position,
): z.output<Position> | undefined {
  if (cursor.length > cursorCharactersMax || !/^[A-Za-z0-9_-]+$/.test(cursor)) return undefined
  const octets = Buffer.from(cursor, 'base64url')
  if (octets.toString('base64url') !== cursor) return undefined
  try {
    const result = schema.safeParse(JSON.parse(decoder.decode(octets)))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}
