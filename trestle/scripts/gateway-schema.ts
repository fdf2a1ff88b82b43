import { publishedSchema } from '../src/gateway/config/published-schema.ts'

/** `trestle/gateway.schema.json`: what editors know of the files of `trestle gateway`. */
export function schemaFile(): string {
  return `${JSON.stringify(publishedSchema(), undefined, 2)}\n`
}
