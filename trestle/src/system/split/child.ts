/** The entry of a child process: `node child.ts`, with a channel to its parent. It never outlives that channel. */
import { keepCompiledCode } from '../../std/compile-cache.ts'

keepCompiledCode()
const { runChild } = await import('./run-child.ts')
runChild(process)
