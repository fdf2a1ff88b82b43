import { type ChildProcess, fork } from 'node:child_process'
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { compiledCode } from '../../std/compile-cache.ts'
import { exitOf } from '../exit-of.ts'
import type { ChildHandle, SpawnChild } from './child-handle.ts'
import type { FromChild } from './messages.ts'

/** Runs as source here and as JavaScript in the published package. */
const entry = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url))

/** A child's standard output goes to our standard error: standard output is for the one who started the system. */
const stdio = ['ignore', 2, 2, 'ipc'] as ('ignore' | 'ipc' | number)[]

/** A child gets its databases over its channel, and must not find those of the others in its environment. */
const databaseUrl = /^TRESTLE_(?:POSTGRES|STORE_.+)_URL$/

/** As Node wants it: what is `undefined` is left out. */
function withoutDatabases(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, databaseUrl.test(name) ? undefined : value]),
  )
}

/** Spawns Node with the child's entry. What shares the public socket is a cluster worker, accepting by itself. */
export const spawnChild: SpawnChild = ({ sharesSocket }) => {
  const env = { ...withoutDatabases(process.env), ...compiledCode() }
  if (!sharesSocket) return handleOf(fork(entry, [], { stdio, execArgv: [], env }))
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: entry, args: [], execArgv: [], stdio, silent: false })
  return handleOf(cluster.fork(env).process)
}

function handleOf(child: ChildProcess): ChildHandle {
  let failure: string | undefined
  let killed: string | undefined
  const listeners: ((message: FromChild) => void)[] = []
  child.on('message', (message: FromChild) => {
    if (message.kind === 'failed') failure = message.message
    for (const listener of listeners) listener(message)
  })
  const exited = exitOf(child, () => killed ?? failure)
  return {
    pid: child.pid,
    send(message) {
      if (child.connected) child.send(message, () => {})
    },
    onMessage: (listener) => void listeners.push(listener),
    exited,
    kill(reason) {
      killed ??= reason
      child.kill('SIGKILL')
    },
  }
}
