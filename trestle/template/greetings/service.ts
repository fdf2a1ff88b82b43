import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { greetings } from './contract.ts'

interface Tables {
  greetings: { id: string; name: string; text: string }
}

const impl = implement(greetings, {
  store: postgres<Tables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const greet = impl.handler('greet', async ({ input, store, newId }) => {
  const greeting = { id: newId(), name: input.name, text: `Hello, ${input.name}!` }
  await store.transaction((tx) => tx.db.insertInto('greetings').values(greeting).execute())
  return greeting
})

const find = impl.handler('find', async ({ input, store, fail }) => {
  const greeting = await store.db.selectFrom('greetings').selectAll().where('id', '=', input.id).executeTakeFirst()
  return greeting ?? fail('greeting_not_found')
})

export default impl.service({ handlers: { greet, find } })
