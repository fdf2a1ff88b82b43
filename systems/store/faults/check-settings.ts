import { readFileSync } from 'node:fs'
import type { Buyer, Goods } from './world.ts'

/** What the checker's process is told: where the systems are, who did what to them. */
export interface CheckSettings {
  readonly storeDataDir: string
  readonly paymentsDataDir: string
  readonly paymentsUrl: string
  readonly log: string
  readonly buyers: readonly Buyer[]
  readonly goods: Goods
  readonly settleWithinMs: number
}

/** Reads the file that the driver wrote. */
export function readCheckSettings(file: string): CheckSettings {
  return JSON.parse(readFileSync(file, 'utf8')) as CheckSettings
}
