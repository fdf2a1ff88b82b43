import { createTransport } from 'nodemailer'

/** A message to one person. */
export interface Mail {
  readonly to: { readonly name: string; readonly address: string }
  readonly subject: string
  readonly text: string
  /** The same when the message is sent again: mail programs show it once. */
  readonly messageId: string
}

const timeoutMs = 10_000

/**
 * Sends a message by the server that `SMTP_URL` names, `smtps://user:password@mail.example`; `no_server` when it names none.
 * @throws Error that says nothing of the person: it is logged, and kept with an event that is parked
 */
export async function sendMail(
  mail: Mail,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<'sent' | 'no_server'> {
  const { SMTP_URL: url, MAIL_FROM: from = 'The store <orders@store.example>' } = env
  if (url === undefined || url === '') return 'no_server'
  const transport = createTransport({
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const failure = await transport.sendMail({ ...mail, from }).then(() => undefined, reasonOf)
  transport.close()
  if (failure !== undefined) throw new Error(`the mail server did not take a message: ${failure}`)
  return 'sent'
}

/** What the server says may name the address; its codes do not. */
function reasonOf(error: unknown): string {
  const { code, responseCode } = error as { readonly code?: unknown; readonly responseCode?: unknown }
  return [code, responseCode].filter((part) => typeof part === 'string' || typeof part === 'number').join(' ')
}
