/** What clients of merchants may be allowed; a token has what its client has, or less where it asks for less. */
export const clientScopes = ['payments', 'webhooks', 'merchant', 'test', 'audit'] as const

export type ClientScope = (typeof clientScopes)[number]

/** What a client gets that nobody says more about. `test` moves the switches, where those are on; `audit` reads the sums of the whole ledger. */
export const usualScopes = ['payments', 'webhooks', 'merchant'] as const satisfies readonly ClientScope[]
