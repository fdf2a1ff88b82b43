import type { GuardedHttp } from 'trestle/http'
import type { Claimed } from './claim.ts'
import { algorithm, signatureOf } from './signature.ts'
import type { SigningKeyRow } from './tables.ts'

/** What a request needs. */
export interface Requesting {
  readonly http: Pick<GuardedHttp, 'request'>
  readonly now: () => number
  readonly signal: AbortSignal
}

/** What came of one request. */
export interface Outcome {
  readonly status: number | null
  /** For the merchant; null: it was acknowledged. */
  readonly reason: string | null
  /** For the log: it may say what names mean inside, and how the sender is set. */
  readonly cause?: unknown
}

/** What a merchant reads, by the code of what the request failed with. */
const reasons: Readonly<Record<string, string>> = {
  address_refused: 'the URL leads to an address that is not asked',
  redirect_refused: 'the reply was a redirect; none is followed',
  connect_failed: 'there was no connection',
  untrusted: 'the certificate is not trusted, or is for another name',
  reset: 'the connection broke before the reply was whole',
  timeout: 'there was no whole reply in time',
  body_timeout: 'there was no whole reply in time',
  bad_response: 'the reply was no HTTP',
  body_too_large: 'the reply was too large',
  aborted: 'the sender was stopped',
}
const elseReason = 'it could not be sent'

/** Asks a webhook once. */
export async function send(
  { http, now, signal }: Requesting,
  { id, url, webhook_id, body }: Claimed,
  key: SigningKeyRow,
): Promise<Outcome> {
  const time = new Date(now()).toISOString()
  const signature = signatureOf({ transmissionId: id, time, webhookId: webhook_id, body }, key.private_pkcs8)
  try {
    const { status } = await http.request({
      url,
      method: 'POST',
      headers: [
        ['Content-Type', 'application/json'],
        ['User-Agent', 'Trestle-Payments-Webhooks/1.0'],
        ['Pay-Transmission-Id', id],
        ['Pay-Transmission-Time', time],
        ['Pay-Webhook-Id', webhook_id],
        ['Pay-Key-Id', key.kid],
        ['Pay-Auth-Algo', algorithm],
        ['Pay-Transmission-Sig', signature],
      ],
      body,
      signal,
    })
    return { status, reason: status >= 200 && status < 300 ? null : `the reply was ${status}` }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    return { status: null, reason: reasons[code] ?? elseReason, cause }
  }
}
