import type { ChildSpec, ChildStatus } from './child-spec.ts'
import { SupervisedChild, type SupervisionDeps } from './supervised-child.ts'

/** Starts children from specifications that are data, watches them, starts them again within limits, stops them in order. */
export interface Supervisor {
  /**
   * Adds a child and starts it. When it does not become ready it is forgotten again, and the cause is thrown.
   * @throws Error when the id is taken
   */
  add(spec: ChildSpec): Promise<void>
  /** Adds and starts one after the other; when one fails, those before it are stopped in reverse, and the cause is thrown. */
  addInOrder(specs: readonly ChildSpec[]): Promise<void>
  /** Starts a child that was stopped, or given up. */
  start(id: string): Promise<void>
  /** Stops a child and keeps its specification. */
  stop(id: string): Promise<void>
  /** Stops a child and forgets it. */
  remove(id: string): Promise<void>
  /** Ends a child now, with a reason; it comes back as its specification says. */
  kill(id: string, reason: string): void
  status(id: string): ChildStatus | undefined
  statuses(): readonly ChildStatus[]
  /** Stops all, the last added first. */
  stopAll(): Promise<void>
}

export function createSupervisor(deps: SupervisionDeps): Supervisor {
  const children = new Map<string, SupervisedChild>()
  const child = (id: string): SupervisedChild => {
    const found = children.get(id)
    if (found === undefined) throw new Error(`there is no child '${id}'`)
    return found
  }
  const supervisor: Supervisor = {
    async add(spec) {
      if (children.has(spec.id)) throw new Error(`there is a child '${spec.id}' already`)
      const added = new SupervisedChild(spec, deps)
      children.set(spec.id, added)
      try {
        await added.start()
      } catch (error) {
        children.delete(spec.id)
        throw error
      }
    },
    async addInOrder(specs) {
      const started: string[] = []
      for (const spec of specs) {
        try {
          await supervisor.add(spec)
          started.push(spec.id)
        } catch (error) {
          for (const id of started.toReversed()) await supervisor.remove(id)
          throw error
        }
      }
    },
    start: (id) => child(id).start(),
    stop: (id) => child(id).stop(),
    async remove(id) {
      await children.get(id)?.stop()
      children.delete(id)
    },
    kill: (id, reason) => child(id).kill(reason),
    status: (id) => children.get(id)?.status(),
    statuses: () => [...children.values()].map((each) => each.status()),
    async stopAll() {
      for (const id of [...children.keys()].toReversed()) await supervisor.remove(id)
    },
  }
  return supervisor
}
