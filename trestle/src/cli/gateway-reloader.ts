import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { LoadedConfig } from '../gateway/config/load-config.ts'
import type { GatewaySpec } from '../gateway/index.ts'
import { refusedBy } from './gateway-system.ts'

/** How a reload is made and told. */
export interface ReloaderOptions {
  /** What runs. */
  readonly first: LoadedConfig
  /** How the file is called in messages. */
  readonly shown: string
  /** Reads the file anew. @throws GatewayConfigError */
  readonly load: () => LoadedConfig
  readonly done: (what: string, tookMs: number) => void
  readonly failed: (why: string) => void
  readonly note: (text: string) => void
  readonly now: () => number
}

/** Puts new versions of a configuration to work, one after the other; what cannot be used changes nothing. */
export interface GatewayReloader {
  /** What is to be watched: the file and what it is made of. */
  files(): readonly string[]
  /** From here on there is a gateway to give a new version to. */
  attach(replace: (spec: GatewaySpec) => Promise<void>): void
  reload(): Promise<void>
  /** Nothing, when the files hold what they held. */
  reloadChanged(): Promise<void>
}

export function gatewayReloader(options: ReloaderOptions): GatewayReloader {
  let current = options.first
  let digest = digestOf(current.files)
  let replace: ((spec: GatewaySpec) => Promise<void>) | undefined
  let running: Promise<void> = Promise.resolve()

  const put = async () => {
    if (replace === undefined) return
    const startedAt = options.now()
    // Before it is read: what changes meanwhile is seen as a change once more.
    digest = digestOf(current.files)
    try {
      const next = options.load()
      await replace(next.spec).catch((error: unknown) => refusedBy(error, options.shown, next))
      tellWhatWaits(current, next, options.note)
      current = next
      digest = digestOf(current.files)
      const { routes } = next.spec
      options.done(`${routes.length} ${routes.length === 1 ? 'route' : 'routes'}`, options.now() - startedAt)
    } catch (error) {
      options.failed(error instanceof Error ? error.message : String(error))
    }
  }
  const queued = (work: () => Promise<void>) => {
    running = running.then(work)
    return running
  }

  return {
    files: () => current.files,
    attach: (given) => {
      replace = given
    },
    reload: () => queued(put),
    reloadChanged: () => queued(async () => (digestOf(current.files) === digest ? undefined : put())),
  }
}

/** Where it listens and keeps its data is decided when it starts. */
function tellWhatWaits(before: LoadedConfig, after: LoadedConfig, note: ReloaderOptions['note']): void {
  const changed = [
    ...(isDeepStrictEqual(before.listen, after.listen) ? [] : ['listen']),
    ...(before.dataDir === after.dataDir && before.postgresUrl === after.postgresUrl ? [] : ['store']),
    ...(before.name === after.name ? [] : ['name']),
  ]
  if (changed.length > 0) note(`${changed.join(' and ')} changed: that takes effect at the next start`)
}

/** Of all contents: an event of a watcher says little, and a changed time nothing. */
function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    try {
      hash.update(readFileSync(file)).update('\0')
    } catch {
      hash.update('is not there\0')
    }
  }
  return hash.digest('hex')
}
