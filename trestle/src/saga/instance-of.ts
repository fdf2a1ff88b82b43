import type { Store } from '../store/store.ts'
import { type Instance, instanceColumns, readInstance } from './instance.ts'
import { runAlone } from './statement.ts'

/** The instance as its row stands now, if nobody else has taken it; `undefined`: it is not ours any more. */
export async function instanceOf(store: Store<unknown>, { id, fence, spec }: Instance): Promise<Instance | undefined> {
  const sql = `select ${instanceColumns} from trestle.sagas s where id = $1 and fence = $2`
  const [row] = await runAlone(store, sql, [id, fence])
  return row === undefined || row['owner'] === null ? undefined : readInstance(row, spec)
}
