import { z } from 'zod'
import { bytes, command, contract, event, get, page, pageInput, post, problem, put, scopes } from './index.ts'
import type { InputOf, OutputOf, ParsedInputOf, ParsedOutputOf } from './operation.ts'

// Mistakes in a contract that are type errors. tsc checks this file; each expected error that does not come is one.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>(): void => {}

const Id = z.object({ id: z.uuid() })
const instant = z.codec(z.iso.datetime(), z.date(), { decode: (at) => new Date(at), encode: (at) => at.toISOString() })

// A template field that the input has not.
// @ts-expect-error Argument of type '"/orders/{nr}"' is not assignable to parameter of type '"{nr} is in the path but not in the input"'
get('/orders/{nr}', { input: Id })
// @ts-expect-error two are missing
put('/orders/{nr}/lines/{line}', { input: Id })
// @ts-expect-error there is no input at all
get('/orders/{id}', {})
get('/orders/{id}', { input: Id })
get('/orders', { input: Id })
get('/files/{id}.json', { input: Id })

// A binding of a field that the input has not.
// @ts-expect-error 'etag' is not in the input
get('/orders/{id}', { input: Id, headers: { etag: 'if-none-match' } })
// @ts-expect-error 'document' is not in the input
post('/orders', { input: Id, body: 'document' })
// @ts-expect-error nothing is in the input
post('/orders', { body: 'document' })
post('/orders', { input: z.object({ document: bytes() }), body: 'document' })

// An input that is no object.
// @ts-expect-error the input is flat
command({ input: z.string() })
// @ts-expect-error the input is flat
command({ input: z.array(z.string()) })

// Words that the contract does not know.
// @ts-expect-error 'sometimes'
command({ idempotent: 'sometimes' })
// @ts-expect-error there is no such member
command({ timeout: 1 })
// @ts-expect-error at least one scope
scopes()
// @ts-expect-error an error is made by problem()
command({ errors: { gone: 410 } })
// @ts-expect-error an event needs its key
event(Id, {})
// @ts-expect-error the key is a field of the payload
event(Id, { key: 'nr' })
// @ts-expect-error a contract needs its version
contract('orders', { operations: {} })
// @ts-expect-error an operation is made by get, post, ..., command or query
contract('orders', { version: '1.0.0', operations: { find: { input: Id } } })

// What callers write and handlers read.
const orders = contract('orders', {
  version: '1.0.0',
  operations: {
    find: get('/orders/{id}', {
      input: z.object({ id: z.uuid(), at: instant.optional(), limit: z.int().default(20) }),
      output: z.object({ placedAt: instant }),
      errors: { not_here: problem(404) },
    }),
    list: get('/orders', { input: z.object(pageInput()), output: page(Id) }),
    upload: post('/documents', { input: z.object({ document: bytes() }), body: 'document' }),
  },
  events: { placed: event(Id, { key: 'id' }) },
})
const { find, list, upload } = orders.operations

holds<Equal<InputOf<typeof find>, { id: string; at?: string | undefined; limit?: number | undefined }>>()
holds<Equal<ParsedInputOf<typeof find>, { id: string; at?: Date | undefined; limit: number }>>()
holds<Equal<OutputOf<typeof find>, { placedAt: string }>>()
holds<Equal<ParsedOutputOf<typeof find>, { placedAt: Date }>>()
holds<Equal<keyof typeof find.errors, 'not_here'>>()
holds<Equal<InputOf<typeof list>, { cursor?: string | undefined; limit?: number | undefined }>>()
holds<Equal<ParsedOutputOf<typeof list>, { items: { id: string }[]; next: string | null }>>()
holds<Equal<InputOf<typeof upload>, { document: string }>>()
holds<Equal<ParsedInputOf<typeof upload>, { document: Uint8Array<ArrayBuffer> }>>()
holds<Equal<(typeof orders)['name'], 'orders'>>()
holds<Equal<typeof find.name, 'find'>>()
holds<Equal<typeof orders.events.placed.name, 'placed'>>()
// @ts-expect-error there is no such operation
void orders.operations.finde
