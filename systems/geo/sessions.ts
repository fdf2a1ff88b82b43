import { authenticator } from 'trestle/gateway'
import { isCallError } from 'trestle/service'
import { accounts } from './accounts/contract.ts'

const tokenForm = /^[A-Za-z0-9_-]{43}$/

/** Knows customers by the token of their session; it opens their account, and looks nothing up. */
export const sessions = authenticator({
  name: 'sessions',
  scheme: 'bearer',
  realm: 'geo',
  uses: { accounts },
  recognises: (credential) => tokenForm.test(credential),
  async authenticate({ credential, call }) {
    try {
      const { account_id } = await call.accounts.verify({ token: credential })
      return { kind: 'user', id: account_id, scopes: ['account'] }
    } catch (error) {
      if (isCallError(error, accounts.operations.verify) && error.code === 'session_invalid') return undefined
      throw error
    }
  },
})
