import type { AnyContract, Bound } from '../contract.ts'
import { ContractError } from '../contract-error.ts'
import type { JsonSchema } from '../json-schema.ts'
import type { AnyOperation } from '../operation.ts'
import { Components } from './components.ts'
import { describeOperation, type ReplyNotes, type Shared } from './describe-operation.ts'
import type { OpenApiDocument, OpenApiInfo } from './document.ts'
import { problemSchema } from './problems.ts'

/** An operation at a public address. */
export interface OpenApiRoute {
  readonly contract: AnyContract
  readonly operation: Bound<AnyOperation, string>
  /** Public path template; default: the operation's own. Its fields stand in the same order. */
  readonly path?: string
  /** What its reply says besides what the contract does. */
  readonly reply?: ReplyNotes
}

const bearer: JsonSchema = { type: 'http', scheme: 'bearer' }

/**
 * One OpenAPI 3.1 document of everything that the contracts (all operations with a route) or routes say.
 * @throws ContractError when two operations have one address
 * @example openapi([catalogue, orders], { title: 'Store', version: '1.0.0' })
 */
export function openapi(sources: readonly (AnyContract | OpenApiRoute)[], info: OpenApiInfo): OpenApiDocument {
  const routes = sources.flatMap(routesOf)
  const securitySchemes = securitySchemesOf(info)
  const shared: Shared = {
    components: new Components('object'),
    responses: {},
    securityNames: Object.keys(securitySchemes),
    needs: new Set(),
  }
  const { value, schemas } = shared.components.finish({ paths: pathsOf(routes, shared), responses: shared.responses })
  const secured = routes.some(({ operation }) => operation.access !== undefined && operation.access.kind !== 'anyone')
  return {
    openapi: '3.1.1',
    info: infoObject(info),
    servers: info.servers ?? [{ url: '/' }],
    tags: tagsOf(routes),
    paths: value.paths,
    components: {
      schemas: routes.length === 0 ? schemas : { Problem: problemSchema, ...schemas },
      responses: value.responses,
      ...(secured ? { securitySchemes } : {}),
      ...neededComponents(shared.needs),
    },
  }
}

/** Ways to authenticate, by name. */
export function securitySchemesOf({ securitySchemes }: OpenApiInfo): Readonly<Record<string, JsonSchema>> {
  return securitySchemes ?? { bearer }
}

function infoObject({ servers: _servers, securitySchemes: _schemes, ...info }: OpenApiInfo): JsonSchema {
  return { ...info }
}

function routesOf(source: AnyContract | OpenApiRoute): readonly OpenApiRoute[] {
  if (!('kind' in source)) return [source]
  return Object.values<Bound<AnyOperation, string>>(source.operations)
    .filter((operation) => operation.rest !== undefined)
    .map((operation) => ({ contract: source, operation }))
}

function pathsOf(routes: readonly OpenApiRoute[], shared: Shared): Readonly<Record<string, JsonSchema>> {
  const paths: Record<string, JsonSchema> = {}
  // Fields match whatever they are called, so templates that differ only in names are one path in the document.
  const templates = new Map<string, string>()
  const ids = operationIds(routes)
  for (const route of routes) {
    const { rest } = route.operation
    if (rest === undefined) continue
    const own = route.path ?? rest.path
    const shape = own.replaceAll(/\{[^{}]*\}/g, '{}')
    const template = templates.get(shape) ?? own
    templates.set(shape, template)
    const item = (paths[template] ??= {})
    const method = rest.method.toLowerCase()
    if (item[method] !== undefined) {
      throw new ContractError(
        `${route.contract.id}.${route.operation.name}`,
        `${rest.method} ${own} is the address of another operation`,
      )
    }
    item[method] = describeOperation(route.operation, template, ids.get(route) as string, shared, route.reply)
  }
  return paths
}

/** `orders.place`; with the major version, `orders.v2.place`, where two majors are in one document. */
function operationIds(routes: readonly OpenApiRoute[]): ReadonlyMap<OpenApiRoute, string> {
  const majors = Map.groupBy(new Set(routes.map(({ contract }) => contract)), (contract) => contract.name)
  return new Map(
    routes.map((route) => {
      const { name, version } = route.contract
      const several = new Set(majors.get(name)?.map((contract) => contract.id)).size > 1
      return [
        route,
        several ? `${name}.v${version.split('.')[0]}.${route.operation.name}` : `${name}.${route.operation.name}`,
      ]
    }),
  )
}

function tagsOf(routes: readonly OpenApiRoute[]): readonly JsonSchema[] {
  const tags = new Map<string, string>()
  for (const { contract, operation } of routes) {
    if (operation.tags.length === 0) tags.set(contract.name, contract.description ?? contract.summary ?? contract.name)
    for (const tag of operation.tags) if (!tags.has(tag)) tags.set(tag, tag)
  }
  return [...tags].map(([name, description]) => ({ name, description }))
}

function neededComponents(needs: Shared['needs']): Record<string, JsonSchema> {
  const headers = {
    ...(needs.has('idempotency-key') ? { IdempotencyReplayed: idempotencyReplayed } : {}),
    ...(needs.has('deprecation') ? deprecation : {}),
  }
  return {
    ...(needs.has('idempotency-key') ? { parameters: { IdempotencyKey: idempotencyKey } } : {}),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  }
}

// Source: IETF draft-ietf-httpapi-idempotency-key-header-07.
const idempotencyKey: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'Names this request: the same key is the same request, however often it is sent.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

const idempotencyReplayed: JsonSchema = {
  description:
    '`true`: this reply was kept from an earlier request with the same key, and nothing was done for this one.',
  schema: { type: 'string', const: 'true' },
}

const deprecation: JsonSchema = {
  Deprecation: {
    description: 'Since when the operation is deprecated, as a structured date: `@1735689600` (RFC 9745).',
    schema: { type: 'string', pattern: '^@[0-9]+$' },
  },
  Sunset: {
    description: 'When the operation will be withdrawn, as an HTTP date (RFC 8594).',
    schema: { type: 'string' },
  },
}
