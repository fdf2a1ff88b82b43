import { authenticator } from 'trestle/gateway'
import { isCallError } from 'trestle/service'
import { accounts } from './accounts/contract.ts'

/** What a session's token looks like: others are refused without asking. */
const tokenForm = /^[A-Za-z0-9_-]{43}$/

/** Knows the users of the store by the token of their session. Asked each time: a session that was ended is ended. */
export const sessions = authenticator({
  name: 'sessions',
  scheme: 'bearer',
  realm: 'store',
  uses: { accounts },
  recognises: (credential) => tokenForm.test(credential),
  async authenticate({ credential, call }) {
    try {
      const { userId, scopes } = await call.accounts.verify({ token: credential })
      return { kind: 'user', id: userId, scopes }
    } catch (error) {
      if (isCallError(error, accounts.operations.verify) && error.code === 'session_invalid') return undefined
      throw error
    }
  },
})
