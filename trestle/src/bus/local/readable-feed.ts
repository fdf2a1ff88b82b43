import type { EventFeed } from '../../store/outbox/event-feed.ts'

/** A feed as its readers use it, be it in this process or in another one. */
export type ReadableFeed = Pick<EventFeed, 'read' | 'head' | 'positionAt'>
