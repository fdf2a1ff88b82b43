import type { z } from 'zod'

/** A declared failure of an operation: its HTTP status and, if it has any, the shape of its details. */
export interface DeclaredError<Details extends z.ZodType = z.ZodType> {
  readonly status: number
  readonly details: Details | undefined
  readonly summary: string | undefined
}

/** The errors that an operation declares, by code. */
export type ErrorMap = Readonly<Record<string, DeclaredError>>

/** The details type of a declared error; `undefined` when it has none. */
export type DetailsOf<E extends DeclaredError> =
  E extends DeclaredError<infer D> ? (D extends z.ZodUndefined ? undefined : z.output<D>) : never

/**
 * Declares an error of an operation.
 * @param status 400..599
 * @param details the shape of the problem's extra members
 * @example problem(409, z.object({ sku: z.string() }))
 */
export function problem(status: number, summary?: string): DeclaredError<z.ZodUndefined>
export function problem<D extends z.ZodType>(status: number, details: D, summary?: string): DeclaredError<D>
export function problem(status: number, a?: z.ZodType | string, b?: string): DeclaredError {
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new TypeError(`problem(${status}): the status of an error is a whole number from 400 to 599`)
  }
  const details = typeof a === 'string' ? undefined : a
  const summary = typeof a === 'string' ? a : b
  return { status, details, summary }
}
