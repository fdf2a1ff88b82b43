import type { Client } from 'pg'

/** The epoch of what is published in this database; `undefined` before its first migration. */
export async function feedEpoch(client: Client): Promise<string | undefined> {
  if (!(await hasFeed(client))) return undefined
  const { rows } = await client.query<{ epoch: string }>('select epoch from trestle.feed')
  return rows[0]?.epoch
}

/**
 * What was loaded is of the past, be it of another cluster or of this one: what is published from now on comes behind all
 * of it, and behind what was here before.
 */
export async function raiseFeedEpoch(client: Client, before: string | undefined): Promise<void> {
  if (!(await hasFeed(client))) return
  await client.query(
    `update trestle.feed set identity = trestle.cluster_identity(),
       epoch = greatest(epoch + 1, $1::bigint + 1, extract(epoch from clock_timestamp())::bigint)`,
    [before ?? 0],
  )
}

async function hasFeed(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`select to_regclass('trestle.feed') is not null as found`)
  return rows[0]?.found === true
}
