import { readdirSync, readFileSync } from 'node:fs'

/** What processes have used, and hold. */
export interface Usage {
  /** User and system, with those of children that have ended, microseconds. */
  readonly cpuMicros: number
  readonly rssBytes: number
  /** Shared pages counted once, among those that share them. */
  readonly pssBytes: number
}

/** A system as its machine sees it: Trestle's own processes, and the database server's. */
export interface TreeUsage {
  readonly node: Usage
  readonly postgres: Usage
  /** Resident memory of each of Trestle's processes, in the order of their start. */
  readonly nodeRssBytes: readonly number[]
}

interface ProcessFacts extends Usage {
  readonly pid: number
  readonly parent: number
  readonly isPostgres: boolean
}

/** Linux counts time in these. */
const ticksPerSecond = 100
const none: Usage = { cpuMicros: 0, rssBytes: 0, pssBytes: 0 }

/** Reads a process and all below it. Linux only: it asks `/proc`. */
export function usageOfTree(root: number): TreeUsage {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => factsOf(Number(name)) ?? [])
  const members = new Set([root])
  // Pids may have wrapped around: go on until nobody is added.
  for (let before = 0; before < members.size; ) {
    before = members.size
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid)
  }
  const tree = all.filter(({ pid }) => members.has(pid))
  const node = tree.filter((one) => !one.isPostgres)
  return {
    node: node.reduce(plus, none),
    postgres: tree.filter((one) => one.isPostgres).reduce(plus, none),
    nodeRssBytes: node.map(({ rssBytes }) => rssBytes),
  }
}

function plus(a: Usage, b: Usage): Usage {
  return {
    cpuMicros: a.cpuMicros + b.cpuMicros,
    rssBytes: a.rssBytes + b.rssBytes,
    pssBytes: a.pssBytes + b.pssBytes,
  }
}

/** `undefined`: it has ended meanwhile. */
function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const end = stat.lastIndexOf(')')
    const fields = stat
      .slice(end + 2)
      .split(' ')
      .map(Number)
    // Fields 14 to 17 of proc(5): utime, stime, cutime, cstime. These begin with the third.
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0)
    const sizes = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    return {
      pid,
      parent: fields[1] ?? 0,
      isPostgres: stat.slice(stat.indexOf('(') + 1, end).startsWith('postgres'),
      cpuMicros: (ticks * 1_000_000) / ticksPerSecond,
      rssBytes: bytesIn(sizes, 'Rss'),
      pssBytes: bytesIn(sizes, 'Pss'),
    }
  } catch {
    return undefined
  }
}

function bytesIn(sizes: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(sizes)?.[1] ?? 0) * 1024
}
