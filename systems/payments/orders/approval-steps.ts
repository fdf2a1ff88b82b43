import { readForm } from '../form.ts'
import { approvedPage, confirmPage, endedPage, type PageOf, signInPage } from './approval-page.ts'
import { approveOrder } from './approve.ts'
import { standingOf } from './order-rows.ts'
import type { Standing } from './standing.ts'
import type { OrdersWork } from './uses.ts'

/** The page as a payer first sees it; `undefined`: there is no such order. */
export async function openApproval(work: OrdersWork, orderId: string): Promise<string | undefined> {
  const page = await pageOf(work, orderId)
  return page === undefined ? undefined : (ended(page) ?? signInPage(page))
}

/** What a client has sent. */
export interface SentForm {
  readonly form: Uint8Array
  /** Of the client, as the gateway knows it. */
  readonly client_address?: string | undefined
}

/** What comes of a form that was sent; `undefined`: it is no form of the page. */
export async function approvalStep(work: OrdersWork, { form, client_address }: SentForm): Promise<string | undefined> {
  const fields = readForm(form)
  const page = await pageOf(work, fields?.get('token') ?? '')
  if (fields === undefined || page === undefined) return undefined
  const over = ended(page)
  if (over !== undefined) return over
  const session = fields.get('session')
  if (session !== undefined) return await approve(work, page, session)
  const [email, password] = [fields.get('email') ?? '', fields.get('password') ?? '']
  return await signIn(work, page, { email, password, client_address })
}

async function signIn(
  { call }: OrdersWork,
  page: PageOf,
  credentials: { readonly email: string; readonly password: string; readonly client_address: string | undefined },
): Promise<string> {
  const signedIn = await call.wallets.logIn.try(credentials)
  if (signedIn.ok) {
    const { access_token: session } = signedIn.value
    const { name } = await call.wallets.verify({ token: session })
    return confirmPage(page, { name, session })
  }
  switch (signedIn.error.code) {
    case 'wrong_credentials':
    case 'invalid_input':
      return signInPage(page, 'The e-mail address or the password is wrong.')
    case 'too_many_attempts':
      return signInPage(page, 'There have been too many wrong passwords. Try again in half a minute.')
    case 'too_busy':
      return signInPage(page, 'Too many people sign in right now. Try again in a moment.')
    default:
      throw signedIn.error
  }
}

async function approve(work: OrdersWork, page: PageOf, session: string): Promise<string> {
  const payer = await work.call.wallets.verify.try({ token: session })
  if (!payer.ok) {
    const { code } = payer.error
    if (code !== 'session_invalid' && code !== 'invalid_input') throw payer.error
    return signInPage(page, 'You were signed out. Sign in again.')
  }
  const approved = await approveOrder(work, page.standing.order.id, payer.value.payer_id)
  // It was for this page alone, which ends here. Should it stay, it ends by itself within the hour.
  await work.call.wallets.endSession.try({ token: session })
  return typeof approved === 'string' ? endedPage(page, told[approved]) : approvedPage({ ...page, standing: approved })
}

const told = {
  invalid_resource_id: 'There is no such payment.',
  order_already_approved: 'This payment has been approved already.',
  order_voided: 'This payment has been called off.',
} as const

/** There is nothing to approve any more. */
function ended(page: PageOf): string | undefined {
  const { status } = page.standing.order
  if (status === 'CREATED') return undefined
  return endedPage(page, status === 'VOIDED' ? told.order_voided : told.order_already_approved)
}

async function pageOf(work: OrdersWork, orderId: string): Promise<PageOf | undefined> {
  const standing = uuid.test(orderId) ? await standingOf(work.store.db, orderId) : undefined
  return standing === undefined ? undefined : { standing, seller: await sellerOf(work, standing) }
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

async function sellerOf({ call }: OrdersWork, { order }: Standing): Promise<string> {
  if (order.brand_name !== null) return order.brand_name
  const merchant = await call.merchants.find.try({ merchant_id: order.merchant_id })
  if (merchant.ok) return merchant.value.business_name
  if (merchant.error.code === 'merchant_not_found') return order.merchant_id
  throw merchant.error
}
