import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Checkout, startCheckout } from '../testing/checkout.ts'
import { wallets } from '../wallets/contract.ts'
import { orders } from './contract.ts'

let checkout: Checkout
beforeAll(async () => {
  checkout = await startCheckout()
})
afterAll(() => checkout?.[Symbol.asyncDispose]())

const decoder = new TextDecoder()
const anybody = () => checkout.client(orders, { kind: 'anonymous', id: '', scopes: [] })
const open = async (token: string) => decoder.decode(await anybody().approvalPage({ token }))
const submit = async (fields: Record<string, string>, client_address?: string) => {
  const form = Buffer.from(new URLSearchParams(fields).toString()).toString('base64')
  return decoder.decode(await anybody().submitApproval({ form, client_address }))
}
/** The hidden fields of a page's form. */
const hidden = (page: string) =>
  Object.fromEntries(
    [...page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )

const evil = `<script>alert("1")</script>'`

async function order(context = {}, description = 'A lamp') {
  const merchant = checkout.merchant()
  const { body } = await merchant.orders.create({
    request_id: randomUUID(),
    intent: 'CAPTURE',
    purchase_units: [{ amount: { currency_code: 'EUR', value: '19.99' }, description }],
    application_context: {
      brand_name: 'Lamps & more',
      return_url: 'https://shop.example/done?cart=7',
      cancel_url: 'https://shop.example/back',
      ...context,
    },
  })
  return { merchant, id: body.id }
}

describe('the page where a payer approves', () => {
  it('says how much goes to whom, signs the payer in, and leads back to the seller', async () => {
    const { merchant, id } = await order()
    const payer = await checkout.payer('100')
    const first = await open(id)
    for (const words of ['19.99 EUR', 'Lamps &amp; more', 'A lamp', `https://shop.example/back?token=${id}`]) {
      expect(first).toContain(words)
    }
    const second = await submit({ ...hidden(first), email: payer.email, password: payer.password, step: 'sign-in' })
    expect(second).toContain('Test payer')
    expect(await merchant.orders.find({ id })).toMatchObject({ status: 'CREATED' })
    const third = await submit({ ...hidden(second), step: 'approve' })
    expect(third).toContain(`url=https://shop.example/done?cart=7&amp;token=${id}&amp;PayerID=${payer.id}`)
    expect(await merchant.orders.find({ id })).toMatchObject({ status: 'APPROVED', payer: { payer_id: payer.id } })
    expect(await open(id)).toContain('has been approved already')
    expect(await checkout.client(wallets).verify.try({ token: hidden(second)['session'] ?? '' })).toMatchObject({
      ok: false,
      error: { code: 'session_invalid' },
    })
    expect((await checkout.client(wallets).verify.try({ token: payer.token })).ok).toBe(true)
  })

  it('approves nothing without the password or the session of the page before', async () => {
    const { merchant, id } = await order()
    const { email } = await checkout.payer('100')
    const tries = [
      { token: id, email, password: 'wrong', step: 'sign-in' },
      { token: id, email: 'nobody', password: 'wrong', step: 'sign-in' },
      { token: id, step: 'approve' },
      { token: id, session: `payer_${'x'.repeat(43)}`, step: 'approve' },
      { token: id, session: 'x'.repeat(1_000), step: 'approve' },
      { token: id, session: '\u0000', step: 'approve' },
    ]
    for (const fields of tries) expect(await submit(fields)).toMatch(/role="alert"/)
    expect(await merchant.orders.find({ id })).toMatchObject({ status: 'CREATED' })
  })

  it('makes those wait who guess passwords, but not the payer where that one has signed in before', async () => {
    const { id } = await order()
    const { email, password } = await checkout.payer('100')
    const home = '2001:db8::3'
    expect(await submit({ token: id, email, password }, home)).toContain('Test payer')
    let told = ''
    for (let n = 0; n < 12 && !told.includes('too many wrong passwords'); n += 1) {
      told = await submit({ token: id, email, password: 'wrong' }, `192.0.2.${n}`)
    }
    expect(told).toContain('too many wrong passwords')
    expect(await submit({ token: id, email, password }, home)).toContain('Test payer')
  })

  it('shows what merchants and payers write as text', async () => {
    const { id } = await order({ brand_name: evil, cancel_url: 'https://shop.example/?"><b>' }, evil)
    for (const page of [await open(id), await submit({ token: id, email: evil, password: evil })]) {
      expect(page).not.toContain('<script')
      expect(page).not.toContain('"><b>')
      expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;')
    }
  })

  it('leads to addresses of the web and to no others', async () => {
    for (const return_url of ['javascript:alert(1)', 'data:text/html,x', '/done', 'ftp://shop.example/']) {
      await expect(order({ return_url })).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })

  it('is none for orders that are called off or unknown', async () => {
    const { merchant, id } = await order()
    await merchant.orders.voidOrder({ id })
    expect(await open(id)).toContain('has been called off')
    const unknown = await anybody().approvalPage.try({ token: randomUUID() })
    expect(unknown).toMatchObject({ error: { code: 'invalid_resource_id', status: 404 } })
    const malformed = ['', 'token=x', `token=${id}&token=${id}`, '%ff'].map((form) =>
      anybody().submitApproval.try({ form: Buffer.from(form).toString('base64') }),
    )
    for (const each of await Promise.all(malformed)) {
      expect(each).toMatchObject({ ok: false, error: { code: 'invalid_resource_id' } })
    }
  })

  it('names the merchant where the order says no other name', async () => {
    const { merchant, id } = await order({ brand_name: undefined })
    expect(await open(id)).toContain(merchant.id)
  })
})
