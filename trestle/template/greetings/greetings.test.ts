import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runners } from 'trestle/testing'
import { Greeting, greetings } from './contract.ts'

const system = new URL('../system.ts', import.meta.url)

// In one process, in one process with every call encoded and decoded, and in a process per service.
for (const runner of runners) {
  describe(`greetings, ${runner.name}`, () => {
    it('greets over HTTP, and remembers whom', async () => {
      await using hello = await runner.start(system)
      const reply = await hello.fetch('/greetings', { body: { name: 'Ada' } })
      assert.equal(reply.status, 201)
      const greeting = Greeting.parse(await reply.json())
      assert.equal(greeting.text, 'Hello, Ada!')
      assert.deepEqual(await hello.client(greetings).find({ id: greeting.id }), greeting)
    })

    it('says which greeting it has not', async () => {
      await using hello = await runner.start(system)
      const found = await hello.client(greetings).find.try({ id: '0198c0de-0000-7000-8000-000000000001' })
      assert.equal(found.ok ? undefined : found.error.code, 'greeting_not_found')
    })
  })
}
