import { writeFile } from 'node:fs/promises'
import { cliReference } from './cli-reference.ts'

/** Writes the pages that are made from the code. */
await writeFile(new URL('../../docs/reference/cli.md', import.meta.url), cliReference())
