import type { z } from 'zod'
import { type PlanName, planNames } from '../plans.ts'
import { Location } from './contract.ts'

/** All that is known of an address. */
export type FullLocation = { readonly [K in Field]-?: Exclude<z.input<typeof Location>[K], undefined> }
export type Field = keyof z.input<typeof Location>

const all = Object.keys(Location.shape) as Field[]
/** In every answer: of what it is, and from which data. */
const always: readonly Field[] = ['ip_address', 'data_version']
const ofPlan: Readonly<Record<PlanName, ReadonlySet<Field>>> = {
  free: new Set([...always, 'country', 'country_code', 'continent']),
  premium: new Set(all),
}
const usual = Object.fromEntries(planNames.map((plan) => [plan, all.filter((field) => ofPlan[plan].has(field))]))

export type ChosenFields =
  | { readonly ok: true; readonly fields: readonly Field[] }
  | { readonly ok: false; readonly code: 'field_unknown' | 'field_not_in_plan'; readonly field: string }

/** The fields of an answer: those that were asked for, or all that the plan has. */
export function chooseFields(asked: string | undefined, plan: PlanName): ChosenFields {
  if (asked === undefined) return { ok: true, fields: usual[plan] ?? always }
  const names = new Set(asked.split(',').map((name) => name.trim()))
  const unknown = [...names].find((name) => !all.includes(name as Field))
  if (unknown !== undefined) return { ok: false, code: 'field_unknown', field: unknown }
  const beyond = [...names].find((name) => !ofPlan[plan].has(name as Field))
  if (beyond !== undefined) return { ok: false, code: 'field_not_in_plan', field: beyond }
  return { ok: true, fields: all.filter((field) => always.includes(field) || names.has(field)) }
}

/** Those fields of a location. */
export function pick(location: FullLocation, fields: readonly Field[]): z.input<typeof Location> {
  return Object.fromEntries(fields.map((field) => [field, location[field]])) as z.input<typeof Location>
}
