import { impl } from '../implementation.ts'

export const lookUpKey = impl.handler('lookUpKey', async ({ input: { hash }, store }) => {
  const row = await store.db
    .selectFrom('api_key_secrets as s')
    .innerJoin('api_keys as k', 'k.id', 's.key_id')
    .select(['k.id', 'k.owner', 'k.plan', 'k.scopes', 'k.enabled', 'k.revoked_at', 'k.expires_at'])
    .select('s.expires_at as secret_expires_at')
    .where('s.hash', '=', Buffer.from(hash, 'hex'))
    .executeTakeFirst()
  if (row === undefined) return { record: null }
  const { id, owner, plan, scopes } = row
  const state =
    row.revoked_at !== null ? ('revoked' as const) : row.enabled ? ('valid' as const) : ('disabled' as const)
  return { record: { id, owner, plan, scopes, state, expiresAtMs: earliest(row.expires_at, row.secret_expires_at) } }
})

function earliest(...dates: (Date | null)[]): number | null {
  const times = dates.flatMap((date) => (date === null ? [] : [date.getTime()]))
  return times.length === 0 ? null : Math.min(...times)
}
