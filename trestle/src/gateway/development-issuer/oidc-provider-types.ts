import type { NodeCallback } from '../../http/serve-callback.ts'

/** What we use of `oidc-provider`, which comes without types. */
export interface ProviderModule {
  readonly Provider: new (issuer: string, configuration: Readonly<Record<string, unknown>>) => Provider
}

export interface Provider {
  readonly Grant: new (of: { readonly accountId: string; readonly clientId: string }) => Grant
  use(middleware: (context: ProviderContext, next: () => Promise<void>) => Promise<void>): void
  callback(): NodeCallback
  interactionDetails(request: unknown, response: unknown): Promise<{ readonly params: { readonly client_id: string } }>
  /** Gives the address to go on at. */
  interactionResult(request: unknown, response: unknown, result: unknown): Promise<string>
}

interface Grant {
  addOIDCScope(scope: string): void
  addResourceScope(resource: string, scope: string): void
  save(): Promise<string>
}

/** Of koa. */
export interface ProviderContext {
  readonly path: string
  readonly method: string
  readonly req: AsyncIterable<Uint8Array>
  readonly res: unknown
  status: number
  type: string
  body: string
  redirect(url: string): void
  readonly oidc: {
    readonly client: { readonly clientId: string }
    readonly session: { readonly accountId: string }
    readonly provider: Provider
  }
}
