import { anyone, command, contract, del, get, post, problem, scopes } from 'trestle/contract'
import { z } from 'zod'
import { Link } from '../links.ts'
import { eventTypes } from '../orders/contract.ts'

/** What a merchant can be told of: `PAYMENT.CAPTURE.COMPLETED`. */
export const EventType = z.enum(Object.values(eventTypes))
export type EventType = z.output<typeof EventType>

const EventTypeName = z.enum(['*', ...EventType.options])

/** Deliveries of one event, those that were asked for by hand too. */
export const transmissionsMax = 100

/** Endpoints that one merchant may have. */
export const webhooksMax = 10

export const Webhook = z
  .object({
    id: z.uuid(),
    url: z.string(),
    event_types: z.array(z.object({ name: EventTypeName })),
    links: z.array(Link),
  })
  .meta({ id: 'Webhook' })

export const WebhookEvent = z
  .object({
    id: z.uuid().describe('The same at every delivery: know by it what was delivered twice'),
    create_time: z.iso.datetime(),
    event_type: EventType,
    event_version: z.literal('1.0'),
    resource_type: z.string(),
    resource_version: z.literal('2.0'),
    summary: z.string(),
    resource: z.record(z.string(), z.unknown()).describe('The order, authorization, capture or refund as it was then'),
    links: z.array(Link),
  })
  .meta({ id: 'WebhookEvent' })

export const Transmission = z
  .object({
    transmission_id: z.uuid(),
    webhook_id: z.uuid(),
    webhook_url: z.string(),
    status: z.enum(['PENDING', 'SUCCESS', 'FAILURE']).describe('`FAILURE`: it was given up'),
    tries: z.int(),
    http_status: z.int().nullable().describe('Of the last try; null: there was no reply'),
    reason: z.string().nullable().describe('Why the last try failed'),
    next_try_time: z.iso.datetime().nullable(),
    timestamp: z.iso.datetime().describe('Of the last try, or of the beginning'),
  })
  .meta({ id: 'Transmission' })

const JsonWebKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  kid: z.string(),
  alg: z.literal('EdDSA'),
  use: z.literal('sig'),
})

const access = scopes('webhooks')
const byWebhook = z.object({ webhook_id: z.uuid() })
const byEvent = z.object({ event_id: z.uuid() })
const webhookUnknown = problem(404, 'The merchant has no such webhook')
const eventUnknown = problem(404, 'The merchant has no such event, or it is older than 30 days')

export const webhooks = contract('webhooks', {
  version: '1.0.0',
  owner: 'notifications',
  summary: 'Tells merchants what happened: signed, at least once, possibly out of order.',
  operations: {
    create: post('/v1/notifications/webhooks', {
      summary: 'Register a webhook',
      description: 'It is told of what happens from now on.',
      input: z.object({
        url: z.url().max(2_048),
        event_types: z
          .array(z.object({ name: EventTypeName }))
          .min(1)
          .max(20),
      }),
      output: Webhook,
      created: true,
      errors: {
        webhook_url_already_exists: problem(400, 'The merchant has a webhook with this URL'),
        webhook_number_limit_exceeded: problem(400, `A merchant has at most ${webhooksMax} webhooks`),
        webhook_url_refused: problem(400, 'The URL may not be asked: https, no user in it, and a public address'),
      },
      access,
      examples: [{ input: { url: 'https://store.example/payments/webhooks', event_types: [{ name: '*' }] } }],
    }),
    list: get('/v1/notifications/webhooks', {
      summary: "The merchant's webhooks, oldest first",
      output: z.object({ webhooks: z.array(Webhook) }),
      access,
    }),
    find: get('/v1/notifications/webhooks/{webhook_id}', {
      summary: 'One webhook',
      input: byWebhook,
      output: Webhook,
      errors: { webhook_not_found: webhookUnknown },
      access,
    }),
    remove: del('/v1/notifications/webhooks/{webhook_id}', {
      summary: 'Remove a webhook; what was not delivered to it is given up',
      input: byWebhook,
      errors: { webhook_not_found: webhookUnknown },
      access,
    }),
    listEvents: get('/v1/notifications/webhooks-events', {
      summary: 'What happened, newest first',
      input: z.object({
        page_size: z.int().min(1).max(100).default(10),
        event_type: EventType.optional(),
        before: z.uuid().optional().describe('Only events older than this one: the last of the page before'),
      }),
      output: z.object({ events: z.array(WebhookEvent), count: z.int(), links: z.array(Link) }),
      access,
    }),
    findEvent: get('/v1/notifications/webhooks-events/{event_id}', {
      summary: 'One event and how its deliveries went',
      input: byEvent,
      output: WebhookEvent.extend({ transmissions: z.array(Transmission) }),
      errors: { event_not_found: eventUnknown },
      access,
    }),
    resend: post('/v1/notifications/webhooks-events/{event_id}/resend', {
      summary: 'Deliver an event again',
      description: 'To the webhooks that are named, or to all that want such events. Each gets a new transmission.',
      input: byEvent.extend({ webhook_ids: z.array(z.uuid()).min(1).max(webhooksMax).optional() }),
      responses: { 202: WebhookEvent.extend({ transmissions: z.array(Transmission) }) },
      errors: {
        event_not_found: eventUnknown,
        webhook_not_found: webhookUnknown,
        too_many_resends: problem(422, `An event has at most ${transmissionsMax} deliveries`),
        nothing_to_resend: problem(422, 'The merchant has no webhook that wants such events'),
      },
      access,
    }),
    keys: get('/v1/notifications/webhooks-keys', {
      summary: 'The public keys that deliveries are signed with',
      description: 'A JSON Web Key Set (RFC 7517). Keys that sign no more stay in it for 30 days.',
      output: z.object({ keys: z.array(JsonWebKey) }),
      access: anyone(),
    }),

    rotateKey: command({
      summary: 'Sign with a new key from now on',
      output: z.object({ kid: z.string() }),
    }),
  },
})
