import { z } from 'zod'

/** What can be done next, as the Orders API says it. `href` is a path of this gateway. */
export const Link = z
  .object({ href: z.string(), rel: z.string(), method: z.enum(['GET', 'POST', 'DELETE']) })
  .meta({ id: 'Link' })
