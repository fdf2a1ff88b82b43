import type { z } from 'zod'
import type { specs } from '../service/operator/operations.ts'
import { momentOf } from './access-texts.ts'
import type { CliIo } from './io.ts'
import { showDuration } from './quantities.ts'
import { textTable } from './table.ts'

type Answer<K extends 'streams' | 'subscriptions' | 'blocked'> = z.output<(typeof specs)[K]['output']>[number]
type Of<T> = T & { readonly service: string }

/** Longest texts of a reason and of a key in a table, characters. */
const reasonMax = 60
const keyMax = 60
/** No more keys of one service are asked for. */
const blockedMax = 1_000

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

/** How the subscriptions stand, and how those go on that have lost their place. */
export function subscriptionsTable(
  subscriptions: readonly Of<Answer<'subscriptions'>>[],
  io: Pick<CliIo, 'colors'>,
): string {
  const table = standingOf(subscriptions, io)
  if (!subscriptions.some(({ placeLost }) => placeLost)) return table
  return `${table}\nlost: the publisher no longer has what follows the place of the subscription. Nothing is taken until it is replayed:
  trestle events replay <service> <subscription> [--since <time>] --reason <why>\n`
}

function standingOf(subscriptions: readonly Of<Answer<'subscriptions'>>[], { colors }: Pick<CliIo, 'colors'>): string {
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
    subscriptions.map(({ service, name, unread, placeLost, waiting, lagMs, parkedKeys, gapKeys, lastFetchedAt }) => [
      service,
      name,
      placeLost ? colors.red('lost') : unread === null ? '?' : String(unread),
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

/** Keys that wait for a person, and how they are mended. */
export function blockedTable(keys: readonly Of<Answer<'blocked'>>[]): string {
  return `${tableOf(keys)}\n${remedies(keys)
    .map((line) => `${line}\n`)
    .join('')}`
}

function remedies(keys: readonly Of<Answer<'blocked'>>[]): readonly string[] {
  const lines: string[] = []
  const counts = Map.groupBy(keys, ({ service }) => service)
  if (keys.some(({ why }) => why === 'parked')) {
    lines.push('Mend the cause, then: trestle events redrive <service> <subscription> [key] --reason <why>')
  }
  if (keys.some(({ missing }) => missing !== null)) {
    lines.push(
      'Versions that have not come may still come. A replay asks the publisher for them, and handles all others again, too:',
      '  trestle events replay <service> <subscription> --since <time> --reason <why>',
    )
  }
  lines.push('To give up what blocks a key: trestle events skip <service> <subscription> <key> <event> --reason <why>')
  if (keys.some(({ key }) => key.length > keyMax)) lines.push('Keys that end in ... are longer: --json has them whole.')
  if ([...counts.values()].some(({ length }) => length >= blockedMax)) {
    lines.push(`Of each service the first ${blockedMax} are listed: there may be more.`)
  }
  return lines
}

function tableOf(keys: readonly Of<Answer<'blocked'>>[]): string {
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
      cut(key, keyMax),
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
  return `${cut(reason ?? 'failed', reasonMax)} (${tries} ${tries === 1 ? 'try' : 'tries'})`
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text
}
