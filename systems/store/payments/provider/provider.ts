import { type Client, isCallError } from 'trestle/service'
import type { Money } from '../../money.ts'
import type { Facts, Moved } from '../facts.ts'
import { type ClientCredentials, createAsClient } from './access-tokens.ts'
import { type Amount, readAmount, writeAmount } from './amount.ts'
import type { paymentProvider, ProviderOrder } from './contract.ts'
import { providerUrl } from './provider-url.ts'

/** What asking the payment system needs of a handler or a job. */
export interface ProviderArgs {
  readonly call: { readonly provider: Client<typeof paymentProvider> }
  readonly now: () => number
}

/** What a payment is for. */
export interface Wanted {
  readonly orderId: string
  readonly amount: Money
}

/**
 * The payment system as the store uses it: what is asked takes a request id, under which it has one effect however often
 * it is asked, and answers with what that lets us know. Refusals are CallErrors with the codes of the contract.
 */
export type Provider = ReturnType<typeof createProvider>

/** Makes the way to the payment system for one of its clients. */
export function createProvider(credentials: ClientCredentials) {
  const asClient = createAsClient(credentials)
  return {
    async create(args: ProviderArgs, request_id: string, { orderId, amount }: Wanted): Promise<Facts> {
      const unit = { custom_id: orderId, invoice_id: orderId, description: `Order ${orderId}` }
      const purchase_units = [{ ...unit, amount: writeAmount(amount) }]
      const order = { request_id, intent: 'AUTHORIZE' as const, purchase_units }
      const reply = await asClient(args, (authorization) => args.call.provider.create({ ...order, authorization }))
      return factsOfOrder(reply.body)
    },
    async find(args: ProviderArgs, id: string): Promise<Facts> {
      return factsOfOrder(await asClient(args, (authorization) => args.call.provider.find({ authorization, id })))
    },
    /** What has become of a request whose answer was lost; `undefined`: it has not arrived. */
    async search(args: ProviderArgs, request_id: string): Promise<Facts | undefined> {
      const { orders } = await asClient(args, (authorization) =>
        args.call.provider.search({ authorization, request_id }),
      )
      return orders[0] === undefined ? undefined : factsOfOrder(orders[0])
    },
    async authorize(args: ProviderArgs, request_id: string, id: string): Promise<Facts> {
      const ask = { request_id, id }
      const reply = await asClient(args, (authorization) => args.call.provider.authorize({ ...ask, authorization }))
      return factsOfOrder(reply.body)
    },
    async voidOrder(args: ProviderArgs, request_id: string, id: string): Promise<Facts> {
      const ask = { request_id, id }
      await asClient(args, (authorization) => args.call.provider.voidOrder({ ...ask, authorization }))
      return { closed: true }
    },
    async voidAuthorization(args: ProviderArgs, request_id: string, id: string): Promise<Facts> {
      const ask = { request_id, id }
      await asClient(args, (authorization) => args.call.provider.voidAuthorization({ ...ask, authorization }))
      return { closed: true }
    },
    async capture(args: ProviderArgs, request_id: string, id: string): Promise<Facts> {
      const ask = { request_id, id, final_capture: true as const }
      const { body } = await asClient(args, (authorization) => args.call.provider.capture({ ...ask, authorization }))
      return body.status === 'DECLINED' ? { declined: 'capture_declined' } : { capture: movedOf(body) }
    },
    /** Gives back what is left of a capture. What all refunds come to is to be looked up. */
    async refund(args: ProviderArgs, request_id: string, id: string): Promise<void> {
      const ask = { request_id, id }
      const { body } = await asClient(args, (authorization) => args.call.provider.refund({ ...ask, authorization }))
      if (body.status !== 'COMPLETED') throw new Error(`the payment system says of a refund: ${body.status}`)
    },
    /** Has the store told what happens, at `url`; answers with the id that it is told under. */
    async listen(args: ProviderArgs, url: string): Promise<string> {
      const event_types = [{ name: '*' }]
      try {
        const register = (authorization: string) =>
          args.call.provider.registerWebhook({ authorization, url, event_types })
        return (await asClient(args, register)).id
      } catch (error) {
        if (!isCallError(error) || error.code !== 'webhook_url_already_exists') throw error
        const { webhooks } = await asClient(args, (authorization) => args.call.provider.webhooks({ authorization }))
        const known = webhooks.find((webhook) => webhook.url === url)
        if (known === undefined) throw error
        return known.id
      }
    },
  }
}

/** What the payment system's view of an order lets us know. */
function factsOfOrder({ id, status, links, purchase_units: [unit] }: ProviderOrder): Facts {
  const { authorizations = [], captures = [], refunds = [] } = unit?.payments ?? {}
  const authorization = authorizations[0]
  const capture = captures.find((each) => each.status !== 'DECLINED')
  const approve = links.find((link) => link.rel === 'approve')
  const isVoid = status === 'VOIDED' || (capture === undefined && authorization?.status === 'VOIDED')
  return {
    providerOrderId: id,
    ...(approve === undefined ? {} : { approveUrl: new URL(approve.href, providerUrl()).href }),
    ...(status === 'APPROVED' || status === 'COMPLETED' ? { approved: true } : {}),
    ...(authorization === undefined ? {} : ofAuthorization(authorization)),
    ...(capture === undefined ? {} : { capture: movedOf(capture) }),
    ...ofRefunds(refunds.filter((each) => each.status === 'COMPLETED').map(movedOf)),
    ...(isVoid ? { closed: true } : {}),
  }
}

function ofAuthorization({ id, status }: { readonly id: string; readonly status: string }): Facts {
  return status === 'DENIED' ? { declined: 'authorization_denied' } : { authorizationId: id }
}

function ofRefunds(refunds: readonly Moved[]): Facts {
  const [first] = refunds
  if (first === undefined) return {}
  return { refund: { id: first.id, amount: refunds.reduce((sum, { amount }) => sum + amount, 0) } }
}

/** What a capture or a refund has moved. */
export function movedOf({ id, amount }: { readonly id: string; readonly amount: Amount }): Moved {
  return { id, amount: readAmount(amount) }
}
