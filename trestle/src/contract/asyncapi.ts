import type { AnyContract, ContractEvent } from './contract.ts'
import type { JsonSchema } from './json-schema.ts'
import { Components, pascal } from './openapi/components.ts'

/** What the document says about the whole system. */
export interface AsyncApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
  readonly license?: { readonly name: string; readonly url?: string }
}

/** An AsyncAPI 3 document as plain data. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0'
  readonly info: JsonSchema
  readonly defaultContentType: 'application/json'
  readonly channels: Readonly<Record<string, JsonSchema>>
  readonly operations: Readonly<Record<string, JsonSchema>>
  readonly components: JsonSchema
}

/**
 * One AsyncAPI 3 document of the events of the contracts, from the side of the services that publish them. The key
 * field, which orders events, is said as `x-trestle-key`.
 * @example asyncapi([orders], { title: 'Store', version: '1.0.0' })
 */
export function asyncapi(contracts: readonly AnyContract[], info: AsyncApiInfo): AsyncApiDocument {
  const components = new Components('name')
  const events = contracts.flatMap((contract) =>
    Object.values<ContractEvent>(contract.events).map((event) => ({
      contract,
      event,
      id: `${contract.name}.${event.name}`,
    })),
  )
  const messages = Object.fromEntries(
    events.map(({ contract, event, id }) => [id, messageOf(contract, event, components)]),
  )
  const { value, schemas } = components.finish(messages)
  return {
    asyncapi: '3.0.0',
    info: { ...info },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(events.map(({ event, id }) => [id, channelOf(event, id)])),
    operations: Object.fromEntries(
      events.map(({ id }) => [
        `publish.${id}`,
        {
          action: 'send',
          channel: { $ref: `#/channels/${id}` },
          messages: [{ $ref: `#/channels/${id}/messages/${id}` }],
        },
      ]),
    ),
    components: { schemas, messages: value },
  }
}

function channelOf(event: ContractEvent, id: string): JsonSchema {
  return {
    address: id,
    ...(event.summary === undefined ? {} : { summary: event.summary }),
    messages: { [id]: { $ref: `#/components/messages/${id}` } },
  }
}

function messageOf(contract: AnyContract, event: ContractEvent, components: Components): JsonSchema {
  const where = `${pascal(contract.name)}${pascal(event.name)}`
  return {
    name: event.name,
    ...(event.summary === undefined ? {} : { summary: event.summary }),
    contentType: 'application/json',
    payload: components.schemaOf(event.payload, 'reply', contract.id, where),
    tags: [{ name: contract.name }],
    'x-trestle-key': event.key,
    'x-trestle-version': event.version,
    // Readers of this contract take these too, made into what they would be today.
    ...(event.version === 1 ? {} : { 'x-trestle-reads-versions': versionsUpTo(event.version) }),
  }
}

function versionsUpTo(version: number): readonly number[] {
  return Array.from({ length: version }, (_, index) => index + 1)
}
