import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { orders } from '../orders/contract.ts'
import { type MailServer, startMailServer } from '../testing/mail-server.ts'
import { type Services, startServices } from '../testing/services.ts'
import { sendMail } from './mail.ts'

let services: Services
let server: MailServer

beforeAll(async () => {
  server = await startMailServer()
  services = await startServices([
    'accounts',
    'catalogue',
    'carts',
    'inventory',
    'orders',
    'payments',
    'shipping',
    'notifications',
  ])
})
afterAll(async () => {
  delete process.env.SMTP_URL
  await services[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const operator = () => services.as({ kind: 'operator', id: 'olga', scopes: [] })

/** Says that an order has ended, as orders does. */
async function settled(customerId: string, more: Partial<Parameters<typeof publish>[0]> = {}): Promise<string> {
  const { id = randomUUID() } = more
  const total = { amount: 19_99, currency: 'EUR' }
  await publish({ id, customerId, status: 'confirmed', total, refunded: false, ...more })
  await services.settled()
  return id
}

const publish = (event: {
  id: string
  customerId: string
  status: 'confirmed' | 'rejected' | 'cancelled'
  total: { amount: number; currency: string }
  refunded: boolean
}) => services.store('orders').transaction(async (tx) => tx.publish(orders.events.settled, event))

async function shopper(): Promise<{ id: string; email: string }> {
  return await operator().accounts.signUp({
    email: `${randomUUID()}@example.org`,
    password: 'correct horse battery',
    name: 'Ada',
  })
}

const mailsTo = (email: string) => server.received.filter(({ to }) => to.includes(email)).map(({ text }) => text)

describe('a message about an order', () => {
  it.each([
    ['confirmed', false, 'Your order is confirmed', 'on its way'],
    ['rejected', false, 'Your order could not be taken', 'Nothing was taken'],
    ['cancelled', true, 'Your order is cancelled', 'given =E2=82=AC19.99 back'],
  ] as const)('that is %s says so once', async (status, refunded, subject, sentence) => {
    process.env.SMTP_URL = server.url
    const { id: customerId, email } = await shopper()
    const orderId = await settled(customerId, { status, refunded })
    const [mail, ...more] = mailsTo(email)
    expect(more).toEqual([])
    const { items } = await operator().notifications.ofOrder({ orderId })
    expect(items).toMatchObject([{ kind: status, outcome: 'sent' }])
    for (const part of [`Subject: ${subject}`, `Message-ID: ${items[0]?.messageId}`, sentence, orderId]) {
      expect(mail?.replaceAll('=\r\n', '')).toContain(part)
    }
  })

  it('that the mail server refuses comes again under the same id, until it is taken', async () => {
    process.env.SMTP_URL = server.url
    const { id: customerId, email } = await shopper()
    server.refuse(2)
    const orderId = await settled(customerId)
    const { items } = await operator().notifications.ofOrder({ orderId })
    const refused = server.refused.filter(({ to }) => to.includes(email)).map(({ text }) => text)
    expect([refused.length, mailsTo(email).length, items.length]).toEqual([2, 1, 1])
    for (const text of [...refused, ...mailsTo(email)]) expect(text).toContain(`Message-ID: ${items[0]?.messageId}`)
  })

  it('is not sent without a mail server or to an account that is gone, and that is noted', async () => {
    delete process.env.SMTP_URL
    const { id: customerId, email } = await shopper()
    const one = await operator().notifications.ofOrder({ orderId: await settled(customerId) })
    expect(one.items).toMatchObject([{ outcome: 'no_server' }])
    process.env.SMTP_URL = server.url
    const other = await operator().notifications.ofOrder({ orderId: await settled(randomUUID()) })
    expect(other.items).toMatchObject([{ outcome: 'no_account' }])
    expect(mailsTo(email)).toEqual([])
  })

  it('that was not sent is sent when it is told of again, and one that was is not', async () => {
    delete process.env.SMTP_URL
    const { id: customerId, email } = await shopper()
    const id = await settled(customerId)
    process.env.SMTP_URL = server.url
    await settled(customerId, { id })
    await settled(customerId, { id })
    expect(mailsTo(email).length).toBe(1)
    expect((await operator().notifications.ofOrder({ orderId: id })).items).toMatchObject([{ outcome: 'sent' }])
  })

  it('that fails names nobody in its failure', async () => {
    server.refuse(1)
    const to = { name: 'Ada', address: 'ada@example.org' }
    const mail = { to, subject: 'x', text: 'x', messageId: '<x@store.example>' }
    const failure = await sendMail(mail, { SMTP_URL: server.url }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(String(failure)).toContain('EMESSAGE 450')
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toMatch(/ada|example\.org/i)
    const nowhere = await sendMail(mail, { SMTP_URL: 'smtp://127.0.0.1:1' }).catch((error: unknown) => error)
    expect(String(nowhere)).toContain('ESOCKET')
  })
})
