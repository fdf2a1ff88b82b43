import type { z } from 'zod'
import type { Copy } from './copier.ts'

/** Writes a value that the validator has accepted as JSON. */
export function compileStringify(_schema: z.ZodType, wireCopy: Copy): (value: unknown) => string {
  return (value) => JSON.stringify(wireCopy(value))
}
