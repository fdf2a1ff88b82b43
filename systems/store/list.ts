import { createHash } from 'node:crypto'
import { z } from 'zod'

/** A page of a list: `next` asks for the page after it; null on the last one. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() })
}

/** The place after the last item of a page: the values that the list is ordered by. */
export type Place = readonly (string | number)[]

/**
 * Writes a cursor: opaque to the caller, and bound to the list that it came from.
 * @param list everything that decides which items are in the list and in which order
 */
export function writeCursor(list: readonly unknown[], place: Place): string {
  return Buffer.from(JSON.stringify([listPrint(list), ...place])).toString('base64url')
}

/** Reads a cursor back; `undefined` when `writeCursor` did not write it for this list. */
export function readCursor<Shape extends z.ZodTuple>(
  list: readonly unknown[],
  cursor: string,
  shape: Shape,
): z.output<Shape> | undefined {
  const text = Buffer.from(cursor, 'base64url')
  if (text.toString('base64url') !== cursor) return undefined
  const [print, ...place] = parsedArray(text.toString('utf8'))
  if (print !== listPrint(list)) return undefined
  const read = shape.safeParse(place)
  return read.success ? read.data : undefined
}

/** Cuts a page from `limit + 1` rows: the one too many only says that there is a next page. */
export function cutPage<Row>(rows: readonly Row[], limit: number, cursorAfter: (last: Row) => string) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? cursorAfter(last) : null }
}

function listPrint(list: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 10)
}

function parsedArray(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
