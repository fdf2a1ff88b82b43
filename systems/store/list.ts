import { createHash } from 'node:crypto'
import { decodeCursor, encodeCursor } from 'trestle/contract'
import { z } from 'zod'

/**
 * Writes a cursor that goes on behind `place`, bound to the list that it came from.
 * @param list everything that decides which items are in the list and in which order
 */
export function cursorBehind(list: readonly unknown[], place: readonly (string | number)[]): string {
  return encodeCursor([printOf(list), place])
}

/** Reads a cursor back; `undefined` when `cursorBehind` did not write it for this list. */
export function placeOf<Place extends z.ZodType>(
  list: readonly unknown[],
  cursor: string,
  place: Place,
): z.output<Place> | undefined {
  const read = decodeCursor(cursor, z.tuple([z.literal(printOf(list)), z.unknown()]))
  return read === undefined ? undefined : place.safeParse(read[1]).data
}

/** Cuts a page from `limit + 1` rows: the one too many only says that there is a next page. */
export function cutPage<Row>(rows: readonly Row[], limit: number, cursorOf: (last: Row) => string) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null }
}

/** Stands for a list in its cursors, which would else carry the caller's query. */
function printOf(list: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 10)
}
