import { writeFile } from 'node:fs/promises'
import { schemaFile } from './gateway-schema.ts'
import { cliReference } from './cli-reference.ts'

/** Writes the pages, and the schema for editors, that are made from the code. */
await writeFile(new URL('../../docs/reference/cli.md', import.meta.url), cliReference())
await writeFile(new URL('../gateway.schema.json', import.meta.url), schemaFile())
