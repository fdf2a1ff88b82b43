import type { Money } from '../money.ts'

/** How an order ended. */
export interface Settled {
  readonly id: string
  readonly status: 'confirmed' | 'rejected' | 'cancelled'
  readonly total: Money
  readonly refunded: boolean
}

/** What is written to a shopper about an order that has ended. */
export function textAbout(order: Settled, name: string): { readonly subject: string; readonly text: string } {
  const { subject, sentence } = words(order)
  return { subject, text: `Hello ${name},\n\n${sentence}\n\nOrder ${order.id}, ${priceOf(order.total)}\n` }
}

function words({ status, refunded, total }: Settled) {
  if (status === 'confirmed') {
    return { subject: 'Your order is confirmed', sentence: 'Thank you: your order is paid and on its way.' }
  }
  const money = refunded ? `We have given ${priceOf(total)} back to you.` : 'Nothing was taken from you.'
  return status === 'cancelled'
    ? { subject: 'Your order is cancelled', sentence: `Your order is cancelled, as you wished. ${money}` }
    : { subject: 'Your order could not be taken', sentence: `Your order was not paid for and is closed. ${money}` }
}

function priceOf({ amount, currency }: Money): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount / 100)
}
