import type { AnyOperation, OutputOf } from '../contract/operation.ts'

/** One of several success replies, made by `reply`. */
export class StatusReply<Status extends number = number, Body = unknown> {
  readonly status: Status
  readonly body: Body
  constructor(status: Status, body: Body) {
    this.status = status
    this.body = body
  }
}

/** What a handler returns: the output, or `reply(status, body)` where the contract says `responses`. */
export type HandlerResult<Op extends AnyOperation> = Op['responses'] extends undefined
  ? OutputOf<Op>
  : OutputOf<Op> | StatusReply

/**
 * Chooses among the success replies that the operation's `responses` declare.
 * @example return reply(202, { jobId })
 */
export function reply<const Status extends number, Body = undefined>(
  status: Status,
  body?: Body,
): StatusReply<Status, Body> {
  return new StatusReply(status, body as Body)
}
