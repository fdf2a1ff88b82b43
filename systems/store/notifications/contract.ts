import { contract, query } from 'trestle/contract'
import { z } from 'zod'

export const MailKind = z.enum(['confirmed', 'rejected', 'cancelled'])

export const notifications = contract('notifications', {
  version: '1.0.0',
  owner: 'shopping',
  summary: 'Tells shoppers by e-mail how their orders ended.',
  description:
    'Addresses are asked of accounts when a message is sent, and kept nowhere. A message may be sent twice when a process dies in that moment; both then have one Message-ID.',
  operations: {
    ofOrder: query({
      summary: 'The messages about an order',
      input: z.object({ orderId: z.uuid() }),
      output: z.object({
        items: z.array(
          z.object({
            kind: MailKind,
            outcome: z.enum(['sent', 'no_server', 'no_account']).describe('`no_server`: SMTP_URL is not set'),
            messageId: z.string(),
            at: z.iso.datetime(),
          }),
        ),
      }),
    }),
  },
})
