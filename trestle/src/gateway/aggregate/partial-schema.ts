import { z } from 'zod'

/** What a reply says of parts that are missing; absent when none is. */
export const partialSchema = z
  .array(
    z.object({
      part: z.string().describe('Name of the part that is null'),
      problem: z
        .object({
          type: z.string(),
          title: z.string(),
          status: z.int().min(400).max(599),
          code: z.string(),
          detail: z.string().optional(),
          instance: z.string().optional(),
          traceId: z.string().optional(),
        })
        .describe('Why, as if the part had been asked by itself'),
    }),
  )
  .optional()
  .describe('The optional parts that could not be answered; the header Trestle-Partial names them too')
