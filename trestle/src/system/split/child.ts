/** The entry of a child process: `node child.ts`, with a channel to its parent. It never outlives that channel. */
import { runChild } from './run-child.ts'

runChild(process)
