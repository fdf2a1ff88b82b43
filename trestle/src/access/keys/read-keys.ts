import { z } from 'zod'
import { decodeCursor, encodeCursor } from '../../contract/page.ts'
import { impl } from '../implementation.ts'
import { keyOf } from './key-rows.ts'

const place = z.object({ after: z.string().max(64) })

export const listKeys = impl.handler('listKeys', async ({ input: { owner, cursor, limit }, store, fail }) => {
  // Ids are made in the order of time.
  let rows = store.db.selectFrom('api_keys').selectAll().orderBy('id', 'desc')
  if (owner !== undefined) rows = rows.where('owner', '=', owner)
  if (cursor !== undefined) {
    const { after } = decodeCursor(cursor, place) ?? fail('cursor_invalid')
    rows = rows.where('id', '<', after)
  }
  const found = await rows.limit(limit + 1).execute()
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return {
    items: items.map(keyOf),
    next: found.length > limit && last !== undefined ? encodeCursor({ after: last.id }) : null,
  }
})

export const findKey = impl.handler('findKey', async ({ input: { id }, store, fail }) => {
  const row = await store.db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? fail('key_not_found') : keyOf(row)
})
