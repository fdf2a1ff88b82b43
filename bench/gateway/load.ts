import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LoadResult, LoadTask } from './load-main.ts'
import { ended, onCore } from './subject.ts'

/** The upstream and the load, both on the core that no gateway has. */
export interface Load {
  readonly upstreamPort: number
  run(task: LoadTask): Promise<LoadResult>
  stop(): Promise<void>
}

export async function startLoad(): Promise<Load> {
  const [program, args] = onCore(1, process.execPath, [join(import.meta.dirname, 'upstream-main.ts')])
  const upstream = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(upstream.stdout, 'data')) as [Buffer]
  const generator = forkOnCore(join(import.meta.dirname, 'load-main.ts'))
  return {
    upstreamPort: Number(line.toString()),
    async run(task) {
      generator.send(task)
      const [message] = (await once(generator, 'message')) as [{ result?: LoadResult; error?: string }]
      if (message.result === undefined) throw new Error(message.error ?? 'the load failed')
      return message.result
    },
    async stop() {
      await Promise.all([ended(upstream), ended(generator)])
    },
  }
}

function forkOnCore(main: string): ChildProcess {
  const [program, args] = onCore(1, process.execPath, [])
  return fork(main, [], { execPath: program, execArgv: [...args] })
}
