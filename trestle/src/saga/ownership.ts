import type { Clock } from '../std/clock.ts'
import { crashPoint } from '../std/crash-points.ts'
import type { Store } from '../store/store.ts'
import type { SagaSpec } from './define-saga.ts'
import { specFor, versionsOf } from './versions.ts'
import { type Instance, instanceColumns, readInstance } from './instance.ts'
import { iso } from './journal.ts'
import { type Row, runAlone } from './statement.ts'

export interface OwnershipDeps {
  readonly store: Store<unknown>
  readonly clock: Clock
  readonly newId: () => string
  /** An engine whose beat stands still for so long is dead. */
  readonly leaseMs: number
}

/**
 * Who works on what. An engine owns instances while its beat goes on, and others watch it by their own monotonic clocks:
 * no wall clock is asked, so none can end a lease early or keep it for an hour. Who was taken for dead and was not finds
 * that its row is gone; what it still writes matches no fence.
 */
export class Ownership {
  readonly #deps: OwnershipDeps
  readonly #seen = new Map<string, { readonly beat: string; readonly since: number }>()
  #owner: string | undefined
  #beating: Promise<boolean> | undefined
  #aliveAt = Number.NEGATIVE_INFINITY

  constructor(deps: OwnershipDeps) {
    this.#deps = deps
  }

  /** The name under which this engine owns; `undefined`: it is not certain to be taken for alive, and must begin nothing. */
  get owner(): string | undefined {
    const { clock, leaseMs } = this.#deps
    return clock.monotonic() - this.#aliveAt < leaseMs ? this.#owner : undefined
  }

  /** The name under which it owns what it owns, whether or not others take it for alive. */
  get name(): string | undefined {
    return this.#owner
  }

  /** Says that this engine lives. `false`: it was taken for dead, and owns nothing any more. */
  beat(): Promise<boolean> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #beat(): Promise<boolean> {
    const { store, clock, newId } = this.#deps
    // Counted from before the question: others may have seen the beat at any time since.
    const at = clock.monotonic()
    if (this.#owner !== undefined) {
      const rows = await runAlone(store, 'update trestle.saga_owners set beat = beat + 1 where id = $1 returning id', [
        this.#owner,
      ])
      if (rows.length === 1) {
        this.#aliveAt = at
        return true
      }
    }
    const lost = this.#owner !== undefined
    this.#owner = undefined
    const fresh = newId()
    await runAlone(store, 'insert into trestle.saga_owners (id) values ($1)', [fresh])
    this.#owner = fresh
    this.#aliveAt = at
    return !lost
  }

  /** Frees what dead engines had. Resolves to how many instances that were. */
  async takeOver(): Promise<number> {
    const { store, clock, leaseMs } = this.#deps
    const rows = await runAlone(store, 'select id, beat from trestle.saga_owners', [])
    const now = clock.monotonic()
    const ids = new Set(rows.map((row) => row['id'] as string))
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id)
    const dead = rows.filter((row) => this.#isDead(row, now, leaseMs))
    crashPoint('saga.before-takeover')
    if (dead.length > 0) {
      await runAlone(store, buryDead, [dead.map((row) => row['id']), dead.map((row) => String(row['beat']))])
    }
    const freed = await this.#freeOrphans()
    crashPoint('saga.after-takeover')
    return freed
  }

  /** Also what was taken under a name that was gone by then. Resolves to how many instances that were. */
  async #freeOrphans(): Promise<number> {
    const { store, clock } = this.#deps
    const owners = (await runAlone(store, deadOwners, [])).map((row) => row['owner'])
    return owners.length === 0 ? 0 : (await runAlone(store, freeOwned, [iso(clock.now()), owners])).length
  }

  #isDead(row: Row, now: number, leaseMs: number): boolean {
    const [id, beat] = [row['id'] as string, String(row['beat'])]
    if (id === this.#owner) return false
    const seen = this.#seen.get(id)
    if (seen?.beat !== beat) {
      this.#seen.set(id, { beat, since: now })
      return false
    }
    return now - seen.since >= leaseMs
  }

  /** Of what this engine owns in the database, what it does not hold; those were lost on the way and are freed. */
  async freeUnheld(held: readonly string[], unheldBefore: readonly string[]): Promise<readonly string[]> {
    const { store, clock } = this.#deps
    if (this.#owner === undefined) return []
    const rows = await runAlone(store, 'select id from trestle.sagas where owner = $1 and id <> all($2)', [
      this.#owner,
      held,
    ])
    const unheld = rows.map((row) => row['id'] as string)
    // A start whose commit is being answered looks the same: only what was so twice is lost.
    const lost = unheld.filter((id) => unheldBefore.includes(id))
    if (lost.length > 0) await runAlone(store, freeSome, [iso(clock.now()), lost, this.#owner])
    return unheld
  }

  /** Claims what is due, the longest waiting first. Others that claim at the same time get others. */
  async claim(specs: readonly SagaSpec[], max: number): Promise<Instance[]> {
    const { store, clock } = this.#deps
    const { owner } = this
    if (owner === undefined || max <= 0) return []
    crashPoint('saga.before-claim')
    const known = versionsOf(specs)
    const rows = await runAlone(store, claimDue, [iso(clock.now()), owner, max, known.names, known.versions])
    crashPoint('saga.after-claim')
    return rows.map((row) => readInstance(row, specFor(specs, row['name'] as string, row['version'] as number)))
  }

  /** Owns nothing any more: others need not wait until this engine is taken for dead. */
  async leave(): Promise<void> {
    const { store } = this.#deps
    if (this.#owner === undefined) return
    await runAlone(store, 'delete from trestle.saga_owners where id = $1', [this.#owner])
    this.#owner = undefined
    await this.#freeOrphans()
  }
}

/** Not one that has given a sign of life since it was looked at: it would go on as if it owned what others take. */
const buryDead = `
delete from trestle.saga_owners o using unnest($1::uuid[], $2::bigint[]) as d(id, beat)
where o.id = d.id and o.beat = d.beat`

/** A step that was under way may have been done: that counts as a try. */
const free = `update trestle.sagas set owner = null, fence = fence + 1, tries = tries + 1, due_at = $1::timestamptz`

/** Whoever owns anything is found one after the other in the index: what is not owned, nearly everything, is not looked at. */
const deadOwners = `
with recursive owners as (
  (select owner from trestle.sagas where owner is not null order by owner limit 1)
  union all
  select (select s.owner from trestle.sagas s where s.owner > o.owner order by s.owner limit 1)
  from owners o where o.owner is not null
)
select owner from owners where owner is not null and owner not in (select id from trestle.saga_owners)`

const freeOwned = `${free} where owner = any($2) and owner not in (select id from trestle.saga_owners) returning id`

const freeSome = `${free} where id = any($2) and owner = $3`

/**
 * Each condition leaves the planner one way, with statistics or without. What is due is walked along its index: `is true`
 * keeps the names from being a join, of which it would expect so little that it read and sorted all that is due. `coalesce`,
 * always true, is taken for seldom true, so that each one is looked up by its id. Who has an owner is not due.
 */
const claimDue = `
with due as (
  select id from trestle.sagas
  where due_at <= $1::timestamptz and ((name, version) in (select * from unnest($4::text[], $5::integer[]))) is true
  order by due_at limit $3
  for update skip locked
)
update trestle.sagas s set owner = $2, fence = s.fence + 1, due_at = null
from due where s.id = due.id and coalesce(due.id, due.id) = due.id
returning ${instanceColumns}`
