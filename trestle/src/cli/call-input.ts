import type { z } from 'zod'
import { coercion, isTextual } from '../contract/coerce.ts'
import type { AnyOperation } from '../contract/operation.ts'
import { CliError } from './cli-error.ts'

/**
 * The input of an operation from `field=value` arguments, or from a JSON text. Values are typed by the contract:
 * numbers, booleans and null where it says so; what no text can say (objects, arrays) is written as JSON.
 * @throws CliError `input_unreadable` that names the field and what it may be
 */
export function callInput(operation: AnyOperation, args: readonly string[], json: string | undefined): unknown {
  if (json !== undefined && args.length > 0) {
    throw new CliError('input_unreadable', 'give the input as field=value arguments or as --input, not both')
  }
  return json === undefined ? Object.fromEntries(args.map((arg) => field(operation, arg))) : parsed(json, '--input')
}

function field(operation: AnyOperation, arg: string): [name: string, value: unknown] {
  const [, name, text] = /^([^=]+)=(.*)$/s.exec(arg) ?? []
  const shape = (operation.input as z.ZodObject).shape
  const known = Object.keys(shape).join(', ') || 'none'
  if (name === undefined || text === undefined) {
    throw new CliError('input_unreadable', `${arg} is not of the form field=value`, { remedy: `Fields: ${known}` })
  }
  const schema = shape[name]
  if (schema === undefined) {
    throw new CliError('input_unreadable', `there is no field ${name}`, { remedy: `Fields: ${known}` })
  }
  return [name, isTextual(schema) ? coercion(schema)(text) : parsed(text, name)]
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CliError('input_unreadable', `${what} must be JSON: ${(cause as Error).message}`, { cause })
  }
}
