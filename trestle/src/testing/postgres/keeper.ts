/** The entry of the keeper: `node keeper.ts HOME`. */
import { keepPostgres } from './keep-postgres.ts'

await keepPostgres(process.argv[2] as string)
