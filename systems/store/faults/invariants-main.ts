// The checker's own process: `node invariants-main.ts SETTINGS`. It reads public APIs and the load's log, nothing else.
import { runChecker } from 'trestle/testing'
import { readCheckSettings } from './check-settings.ts'
import { storeInvariants } from './invariants/store-invariants.ts'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: invariants-main.ts SETTINGS')
const settings = readCheckSettings(file)
await runChecker({ invariants: storeInvariants(settings), settleWithinMs: settings.settleWithinMs })
