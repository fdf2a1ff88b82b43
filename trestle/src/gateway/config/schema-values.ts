import { z } from 'zod'

/** Values that several parts of a configuration file have. */
export const text = z.string().min(1)
export const path = z.string().regex(/^\//, 'must start with /')
export const texts = z.array(text)
export const ms = (what: string) => z.int().min(1).describe(`${what}, milliseconds`)
export const msOrNone = (what: string) => z.int().min(0).describe(`${what}, milliseconds`)
