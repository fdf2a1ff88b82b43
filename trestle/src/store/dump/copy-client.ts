import { once } from 'node:events'
import { Client } from 'pg'
import type { StoreConnection } from '../store.ts'
import { connectFailure } from '../connection/pg-failure.ts'

/** What the driver hands to a query of our own kind. Its types do not name it. */
interface Wire {
  readonly stream: NodeJS.ReadWriteStream & { readonly writableNeedDrain: boolean; pause(): void; resume(): void }
  query(text: string): void
  sendCopyFromChunk(chunk: Uint8Array): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
}

interface CommandComplete {
  readonly text: string
}

/** Opens a connection that can COPY: the driver allows queries of our own kind where it does not pipeline. */
export async function openCopyClient({ url }: StoreConnection): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'trestle dump', keepAlive: true })
  // A loss of the connection is told to the query that runs; between queries the next one finds out.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    throw connectFailure(error)
  }
  return client
}

/** The rows that a COPY moved, from its tag `COPY 42`. */
function countOf({ text }: CommandComplete): number {
  return Number(text.split(' ')[1])
}

/** Runs `copy ... to stdout`; the socket rests while `take` is busy. Resolves with the number of rows. */
export function copyOut(
  client: Client,
  text: string,
  take: (chunk: Buffer) => Promise<void> | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let rows = 0
    let failure: unknown
    submit(client, {
      submit: (wire) => wire.query(text),
      handleCopyData({ chunk }, wire) {
        const busy = failure === undefined ? take(chunk) : undefined
        if (busy === undefined) return
        wire.stream.pause()
        busy
          .catch((error: unknown) => {
            failure ??= error
          })
          .finally(() => wire.stream.resume())
      },
      handleCommandComplete(message) {
        rows = countOf(message)
      },
      handleReadyForQuery: () => (failure === undefined ? resolve(rows) : reject(failure)),
      handleError: reject,
    })
  })
}

/** Runs `copy ... from stdin` with what `chunks` yields. Resolves with the number of rows. */
export function copyIn(client: Client, text: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  return new Promise((resolve, reject) => {
    let rows = 0
    const refused = new AbortController()
    let failure: unknown
    submit(client, {
      submit: (wire) => wire.query(text),
      handleCopyInResponse: (wire) => void send(wire),
      handleCommandComplete(message) {
        rows = countOf(message)
      },
      handleReadyForQuery: () => resolve(rows),
      handleError(error) {
        refused.abort()
        reject(failure ?? error)
      },
    })

    async function send(wire: Wire): Promise<void> {
      try {
        for await (const chunk of chunks) {
          if (refused.signal.aborted) return
          wire.sendCopyFromChunk(chunk)
          if (wire.stream.writableNeedDrain) await once(wire.stream, 'drain', { signal: refused.signal })
        }
        if (!refused.signal.aborted) wire.endCopyFrom()
      } catch (error) {
        if (refused.signal.aborted) return
        failure = error
        wire.sendCopyFail('the source failed')
      }
    }
  })
}

interface CopyQuery {
  submit(wire: Wire): void
  handleCopyData?(message: { readonly chunk: Buffer }, wire: Wire): void
  handleCopyInResponse?(wire: Wire): void
  handleCommandComplete(message: CommandComplete): void
  handleReadyForQuery(): void
  handleError(error: Error): void
}

function submit(client: Client, query: CopyQuery): void {
  const driverQuery = {
    ...query,
    callback: () => undefined,
    // The driver takes a returned value for an error.
    submit(wire: Wire) {
      query.submit(wire)
      return null
    },
  }
  void client.query(driverQuery as unknown as Parameters<Client['query']>[0])
}
