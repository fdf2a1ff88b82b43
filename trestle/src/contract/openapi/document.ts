import type { JsonSchema } from '../json-schema.ts'

/** An OpenAPI 3.1 document as plain data. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: JsonSchema
  readonly servers: readonly OpenApiServer[]
  readonly tags: readonly JsonSchema[]
  readonly paths: Readonly<Record<string, JsonSchema>>
  readonly components: Readonly<Record<string, JsonSchema>>
}

/** An address at which the described API can be reached. */
export interface OpenApiServer {
  readonly url: string
  readonly description?: string
}

/** What the document says about the whole API. */
export interface OpenApiInfo {
  readonly title: string
  /** Version of the API as published. */
  readonly version: string
  readonly summary?: string
  readonly description?: string
  readonly license?: { readonly name: string; readonly identifier?: string; readonly url?: string }
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string }
  /** Default: `/`, where the document itself was found. */
  readonly servers?: readonly OpenApiServer[]
  /** Ways to authenticate, each enough by itself; default: a bearer token. */
  readonly securitySchemes?: Readonly<Record<string, JsonSchema>>
}
