import type { Standing } from './standing.ts'
import { writeAmount } from '../money.ts'

// The page has no cookie and no script. Each step of it carries what it needs in its own form, so no other page can send
// one in the payer's name: it would need the password, or the session that only the page before holds.

export interface PageOf {
  readonly standing: Standing
  readonly seller: string
}

/** Who pays, how much, to whom: sign in, or turn back. */
export function signInPage(page: PageOf, problem?: string): string {
  return document(
    'Pay',
    `${summary(page)}${problem === undefined ? '' : `<p role="alert" class="problem">${text(problem)}</p>`}
    ${form(
      page,
      {},
      `<label>E-mail <input name="email" type="email" autocomplete="username" required maxlength="254"></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="200"></label>
    <button name="step" value="sign-in">Sign in</button>`,
    )}
    ${turnBack(page)}`,
  )
}

/** The payer is signed in: approve, or turn back. */
export function confirmPage(page: PageOf, payer: { readonly name: string; readonly session: string }): string {
  return document(
    'Pay',
    `${summary(page)}<p>You are signed in as <strong>${text(payer.name)}</strong>.</p>
    ${form(page, { session: payer.session }, '<button name="step" value="approve">Approve</button>')}
    ${turnBack(page)}`,
  )
}

/** It is approved: on to the seller. */
export function approvedPage({ standing, seller }: PageOf): string {
  const { id, payer_id, return_url } = standing.order
  const target = withQuery(return_url, { token: id, PayerID: payer_id ?? '' })
  return document('Approved', `<p role="status">You have approved this payment.</p>${onward(target, seller)}`, target)
}

/** There is nothing to approve. */
export function endedPage({ standing, seller }: PageOf, problem: string): string {
  const target = withQuery(standing.order.cancel_url, { token: standing.order.id })
  return document('Pay', `<p role="alert">${text(problem)}</p>${onward(target, seller)}`)
}

function summary({ standing, seller }: PageOf): string {
  const { amount, currency, description } = standing.order
  const { value } = writeAmount(BigInt(amount), currency)
  return `<p>Pay <strong>${text(`${value} ${currency}`)}</strong> to <strong>${text(seller)}</strong></p>${
    description === null ? '' : `<p>${text(description)}</p>`
  }`
}

function form({ standing }: PageOf, hidden: Readonly<Record<string, string>>, fields: string): string {
  const kept = Object.entries({ token: standing.order.id, ...hidden })
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${text(value)}">`)
    .join('')
  return `<form method="post" action="/checkoutnow">${kept}${fields}</form>`
}

function turnBack({ standing, seller }: PageOf): string {
  const target = withQuery(standing.order.cancel_url, { token: standing.order.id })
  return target === undefined ? '' : `<p><a href="${text(target)}">Cancel and return to ${text(seller)}</a></p>`
}

function onward(target: string | undefined, seller: string): string {
  return target === undefined ? '' : `<p><a href="${text(target)}">Return to ${text(seller)}</a></p>`
}

function withQuery(url: string | null, fields: Readonly<Record<string, string>>): string | undefined {
  if (url === null || !URL.canParse(url)) return undefined
  const target = new URL(url)
  for (const [name, value] of Object.entries(fields)) target.searchParams.set(name, value)
  return target.href
}

function document(title: string, body: string, target?: string): string {
  const refresh = target === undefined ? '' : `<meta http-equiv="refresh" content="1; url=${text(target)}">`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'">
${refresh}<style>${style}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>
`
}

const style = `body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f5f7;color:#1c2330}
main{max-width:24rem;margin:3rem auto;padding:2rem;background:#fff;border-radius:.75rem}
h1{font-size:1.25rem;margin:0 0 1rem}label,button{display:block;width:100%;margin:.75rem 0}
input[type=email],input[type=password]{display:block;box-sizing:border-box;width:100%;padding:.5rem;font:inherit}
button{padding:.75rem;font:inherit;border:0;border-radius:.5rem;background:#14489c;color:#fff;cursor:pointer}
.problem{color:#a01818}`

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function text(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
}
