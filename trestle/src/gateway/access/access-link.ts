import type { Client } from '../../call/client.ts'
import { createClient } from '../../call/create-client.ts'
import { newTrace } from '../../std/trace-context.ts'
import type { GatewayContext } from '../gateway-context.ts'
import { ChangeFeed } from './change-feed.ts'
import { access } from './contract.ts'
import { gatewayCaller } from './gateway-caller.ts'
import { UsageBuffer } from './usage-buffer.ts'

/** A gateway's way to the service of keys and plans: one for all of its parts. */
export interface AccessLink {
  /** A client for one question, in the gateway's own name. */
  readonly ask: () => Client<typeof access>
  readonly feed: ChangeFeed
  readonly usage: UsageBuffer
}

type LinkContext = Pick<GatewayContext, 'send' | 'clock' | 'log' | 'metrics' | 'defer'>

/** Opens the way, and begins to follow what changes. The service may be down: then it is followed once it is there. */
export async function openAccessLink(context: LinkContext): Promise<AccessLink> {
  const { send, clock, log, metrics, defer } = context
  const clientFor = createClient(access, { from: 'gateway', send, clock })
  const ask = () => clientFor({ caller: gatewayCaller, trace: newTrace() })
  const feed = new ChangeFeed(ask, { clock, log })
  const usage = new UsageBuffer(ask, { clock, log, metrics })
  defer(async () => {
    feed.close()
    await usage.close()
  })
  await feed.start()
  usage.start()
  return { ask, feed, usage }
}
