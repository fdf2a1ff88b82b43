import type { z } from 'zod'
import type { specs } from '../service/operator/operations.ts'
import { momentOf } from './access-texts.ts'
import type { CliIo } from './io.ts'
import { showDuration } from './quantities.ts'
import { textTable } from './table.ts'

type Answer<K extends 'streams' | 'subscriptions' | 'blocked'> = z.output<(typeof specs)[K]['output']>[number]
type Of<T> = T & { readonly service: string }

/** Longest text of a reason in a table, characters. */
const reasonMax = 60

/** What each service has published and keeps. */
export function streamsTable(streams: readonly Of<Answer<'streams'>>[]): string {
  return textTable(
    [
      { title: 'SERVICE' },
      { title: 'STREAM' },
      { title: 'EVENTS', align: 'right' },
      { title: 'OLDEST' },
      { title: 'NEWEST' },
      { title: 'READ BY' },
    ],
    streams.map(({ service, stream, events, oldestAt, newestAt, readers }) => [
      service,
      stream,
      String(events),
      momentOf(oldestAt),
      momentOf(newestAt),
      readers.map(({ reader }) => reader).join(', '),
    ]),
  )
}

/** How the subscriptions stand. */
export function subscriptionsTable(subscriptions: readonly Of<Answer<'subscriptions'>>[], { colors }: CliIo): string {
  return textTable(
    [
      { title: 'SERVICE' },
      { title: 'SUBSCRIPTION' },
      { title: 'UNREAD', align: 'right' },
      { title: 'WAITING', align: 'right' },
      { title: 'LAG', align: 'right' },
      { title: 'PARKED', align: 'right' },
      { title: 'LAST FETCHED' },
    ],
    subscriptions.map(({ service, name, unread, waiting, lagMs, parkedKeys, gapKeys, lastFetchedAt }) => [
      service,
      name,
      unread === null ? '?' : String(unread),
      String(waiting),
      lagMs === null ? '?' : lagText(lagMs),
      parkedKeys + gapKeys === 0 ? '-' : colors.red(String(parkedKeys + gapKeys)),
      momentOf(lastFetchedAt),
    ]),
  )
}

function lagText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : showDuration(ms)
}

/** Keys that wait for a person. */
export function blockedTable(keys: readonly Of<Answer<'blocked'>>[]): string {
  return textTable(
    [
      { title: 'SERVICE' },
      { title: 'SUBSCRIPTION' },
      { title: 'KEY' },
      { title: 'EVENT' },
      { title: 'TYPE' },
      { title: 'WAITING', align: 'right' },
      { title: 'SINCE' },
      { title: 'WHY' },
    ],
    keys.map(({ service, subscription, key, event, waiting, parkedAt, ...rest }) => [
      service,
      subscription,
      key,
      event.id,
      event.type ?? '-',
      String(waiting),
      momentOf(parkedAt),
      whyText(rest),
    ]),
  )
}

function whyText({ reason, missing, tries }: Pick<Answer<'blocked'>, 'reason' | 'missing' | 'tries'>): string {
  if (missing !== null) return `versions ${missing.from} to ${missing.to} have not come`
  const text = reason ?? 'failed'
  return `${text.length > reasonMax ? `${text.slice(0, reasonMax)}...` : text} (${tries} ${tries === 1 ? 'try' : 'tries'})`
}
