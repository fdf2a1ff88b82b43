import { anyone, contract, get, post, problem } from 'trestle/contract'
import { z } from 'zod'

export const Greeting = z.object({
  id: z.uuid(),
  name: z.string(),
  text: z.string(),
})

/** All that the rest of the world may know about greetings. */
export const greetings = contract('greetings', {
  version: '1.0.0',
  summary: 'Greets people and remembers whom it has greeted.',
  operations: {
    greet: post('/greetings', {
      summary: 'Greet somebody',
      input: z.object({ name: z.string().min(1).max(100) }),
      output: Greeting,
      created: true,
      access: anyone(),
    }),
    find: get('/greetings/{id}', {
      summary: 'Read a greeting again',
      input: z.object({ id: z.uuid() }),
      output: Greeting,
      errors: { greeting_not_found: problem(404, 'There is no greeting with this id') },
      access: anyone(),
    }),
  },
})
