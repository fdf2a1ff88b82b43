/** What a group of services needs before it can start. */
export interface Dependent {
  readonly name: string
  /** Names of others that it calls; itself and unknown names do not count. */
  readonly needs: readonly string[]
}

/**
 * Sorts into waves: all of a wave start together, after the waves before it. A cycle starts together in one wave.
 * Components by R. Tarjan, "Depth-first search and linear graph algorithms", 1972: they come out dependencies first.
 */
export function startOrder(all: readonly Dependent[]): readonly (readonly string[])[] {
  const byName = new Map(all.map((each) => [each.name, each]))
  const needsOf = (name: string) => (byName.get(name)?.needs ?? []).filter((need) => byName.has(need))
  const waveOf = new Map<string, number>()
  for (const component of components([...byName.keys()], needsOf)) {
    const outside = component.flatMap(needsOf).filter((need) => !component.includes(need))
    const wave = Math.max(-1, ...outside.map((need) => waveOf.get(need) ?? 0)) + 1
    for (const name of component) waveOf.set(name, wave)
  }
  const waves: string[][] = []
  for (const { name } of all) (waves[waveOf.get(name) ?? 0] ??= []).push(name)
  return waves
}

function components(names: readonly string[], needsOf: (name: string) => readonly string[]): readonly string[][] {
  const found: string[][] = []
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const visit = (name: string): number => {
    index.set(name, index.size)
    let lowest = index.get(name) as number
    stack.push(name)
    for (const need of needsOf(name)) {
      if (!index.has(need)) lowest = Math.min(lowest, visit(need))
      else if (stack.includes(need)) lowest = Math.min(lowest, index.get(need) as number)
    }
    low.set(name, lowest)
    if (lowest === index.get(name)) found.push(stack.splice(stack.indexOf(name)))
    return lowest
  }
  for (const name of names) if (!index.has(name)) visit(name)
  return found
}
