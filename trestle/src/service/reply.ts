import type { z } from 'zod'
import type { AnyOperation, HasReplies, OutputOf, RepliesOf, Schema } from '../contract/operation.ts'

/** One of several success replies, made by `reply`. */
export class StatusReply<Status extends number = number, Body = unknown> {
  readonly status: Status
  readonly body: Body
  constructor(status: Status, body: Body) {
    this.status = status
    this.body = body
  }
}

type BodyOf<S> = S extends Schema ? z.input<S> : never

type ChosenReply<Op extends AnyOperation> = {
  [Status in keyof RepliesOf<Op> & number]: StatusReply<Status, BodyOf<RepliesOf<Op>[Status]>>
}[keyof RepliesOf<Op> & number]

/** What a handler returns: the output, or `reply(status, body)` where the contract says `responses`. */
export type HandlerResult<Op extends AnyOperation> =
  HasReplies<Op> extends false
    ? OutputOf<Op>
    : ChosenReply<Op> | (Op['output'] extends z.ZodVoid | undefined ? never : OutputOf<Op>)

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
