import type { Operator } from './operator.ts'
import { ask } from './web.ts'
import type { Buyer, Payer } from './world.ts'

const atOnce = 2
const askTimeoutMs = 30_000
/** Sign-ups are limited for each address; whoever has many addresses may do more. */
const perAddress = 40

/** What each payer has at first. */
export const startBalance = { currency_code: 'EUR', value: '100000.00' }

/** Signs people up at the store and in, as themselves would. */
export async function signUp(url: string, payments: Operator, count: number): Promise<readonly Buyer[]> {
  const buyers: Buyer[] = []
  let next = 0
  const worker = async () => {
    for (let number = next++; number < count; number = next++) {
      buyers.push({ ...(await signUpOne(url, number)), payer: await makePayer(payments) })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return buyers
}

async function signUpOne(url: string, number: number): Promise<Omit<Buyer, 'payer'>> {
  const email = `buyer.${number}@example.org`
  const password = `correct horse ${number}`
  const localAddress = `127.0.1.${1 + Math.floor(number / perAddress)}`
  const signal = AbortSignal.timeout(askTimeoutMs)
  const user = await ask('POST', `${url}/users`, {
    body: { email, password, name: `Buyer ${number}` },
    localAddress,
    signal,
  })
  const session = await ask('POST', `${url}/sessions`, { body: { email, password }, localAddress, signal })
  if (user.status !== 201 || session.status !== 201) {
    throw new Error(`nobody could sign up: ${user.status} ${user.body?.code}, ${session.status} ${session.body?.code}`)
  }
  return { userId: user.body.id, email, token: session.body.token }
}

async function makePayer(payments: Operator): Promise<Payer> {
  const input = { balance: startBalance, name: 'Payer' }
  const made = await payments.call<MadePayer>('wallets', 'makePayer', input)
  return { payerId: made.payer_id, email: made.email, password: made.password, token: made.access_token }
}

interface MadePayer {
  readonly payer_id: string
  readonly email: string
  readonly password: string
  readonly access_token: string
}
