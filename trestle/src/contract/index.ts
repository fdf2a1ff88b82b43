export { type Access, anyone, scopes, signedIn } from './access.ts'
export { type AsyncApiDocument, type AsyncApiInfo, asyncapi } from './asyncapi.ts'
export { type BytesOptions, type BytesSchema, bytes, decodeBytes, encodeBytes } from './bytes.ts'
export { clientAddressHeader } from './client-address.ts'
export type {
  AnyContract,
  Bound,
  Contract,
  ContractEvent,
  ContractRef,
  EventInputOf,
  EventMap,
  EventOf,
  EventSpec,
  OperationMap,
  Upcast,
} from './contract.ts'
export { ContractError } from './contract-error.ts'
export { contract, event, type EventOptions } from './define-contract.ts'
export { command, del, get, patch, post, put, query } from './define-operation.ts'
export type { OpenApiDocument, OpenApiInfo, OpenApiServer } from './openapi/document.ts'
export { type OpenApiRoute, openapi } from './openapi/openapi.ts'
export type {
  AnyOperation,
  Deprecation,
  ErrorCodeOf,
  Example,
  HttpMethod,
  Idempotency,
  InputOf,
  InputSchema,
  Operation,
  OutputOf,
  ParsedInputOf,
  ParsedOutputOf,
  RestBinding,
  Schema,
} from './operation.ts'
export { cursorCharactersMax, decodeCursor, encodeCursor, type PageInputOptions, page, pageInput } from './page.ts'
export { type PlatformCode, platformErrors } from './platform-errors.ts'
export { type DeclaredError, type DetailsOf, type ErrorMap, problem } from './problem.ts'
