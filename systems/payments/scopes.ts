/** What clients of merchants may be allowed; a token has what its client has, or less where it asks for less. */
export const clientScopes = ['checkout', 'webhooks', 'merchant', 'test'] as const

export type ClientScope = (typeof clientScopes)[number]

/** What a client gets that nobody says more about. `test` moves the switches, where those are on. */
export const usualScopes = ['checkout', 'webhooks', 'merchant'] as const satisfies readonly ClientScope[]
