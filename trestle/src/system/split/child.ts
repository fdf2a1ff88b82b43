/** The entry of a child process: `node child.ts`, with a channel to its parent. It never outlives that channel. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { runChild } = await import('./run-child.ts')
runChild(process)
