import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A message as a mail server got it. */
export interface ReceivedMail {
  readonly to: readonly string[]
  /** Head and body. */
  readonly text: string
}

/** A mail server that delivers nothing. */
export interface MailServer extends AsyncDisposable {
  /** What `SMTP_URL` is to be. */
  readonly url: string
  readonly received: readonly ReceivedMail[]
  readonly refused: readonly ReceivedMail[]
  /** The next messages are refused after they came, `times` of them. */
  refuse(times: number): void
}

/** Starts one on a free port of this machine. */
export async function startMailServer(): Promise<MailServer> {
  const received: ReceivedMail[] = []
  const refused: ReceivedMail[] = []
  let refusals = 0
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        const mail = { to, text: Buffer.concat(chunks).toString() }
        if (refusals-- > 0) {
          refused.push(mail)
          done(new Error(`no room for ${to.join()}`))
          return
        }
        received.push(mail)
        done()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    refused,
    refuse(times) {
      refusals = times
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
