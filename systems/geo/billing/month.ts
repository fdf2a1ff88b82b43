import { monthlyPrice, type PlanName } from '../plans.ts'

const dayMs = 86_400_000

/** `2026-11`, in UTC. */
export function monthOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 7)
}

/** The month after, or so many after. */
export function monthAfter(month: string, months = 1): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return monthOf(Date.UTC(year, number - 1 + months, 1))
}

/** When a month begins, and when the next one does. */
export function boundsOf(month: string): { readonly startMs: number; readonly endMs: number } {
  return { startMs: Date.parse(`${month}-01T00:00:00Z`), endMs: Date.parse(`${monthAfter(month)}-01T00:00:00Z`) }
}

/** A stretch of time in which a plan held. */
export interface Period {
  readonly plan: PlanName
  readonly startMs: number
  /** Not included; `undefined`: it still holds. */
  readonly endMs: number | undefined
}

export interface Line {
  readonly plan: PlanName
  readonly days: number
  readonly amount: number
}

/** What a month costs: for each plan the days of UTC on which it held, however short; a whole month is the price. */
export function linesOf(month: string, periods: readonly Period[]): readonly Line[] {
  const { startMs, endMs } = boundsOf(month)
  const monthDays = (endMs - startMs) / dayMs
  const days = new Map<PlanName, Set<number>>()
  for (const period of periods) {
    const from = Math.max(period.startMs, startMs)
    const to = Math.min(period.endMs ?? endMs, endMs)
    if (from >= to) continue
    const held = days.get(period.plan) ?? new Set()
    const last = Math.floor((to - 1) / dayMs)
    for (let day = Math.floor(from / dayMs); day <= last; day++) held.add(day)
    days.set(period.plan, held)
  }
  return [...days].map(([plan, held]) => ({
    plan,
    days: held.size,
    amount: Math.round((monthlyPrice[plan] * held.size) / monthDays),
  }))
}
