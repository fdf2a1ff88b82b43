import type { ConfigPath } from './config-node.ts'

/** Says that what stands at a path cannot be. */
export type Report = (path: ConfigPath, message: string) => void

/** What a part refuses is said at the place it was made from. */
export function attempt<T>(path: ConfigPath, report: Report, make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    report(path, error.message)
    return undefined
  }
}
