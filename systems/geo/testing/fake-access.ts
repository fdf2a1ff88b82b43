import type { StartServicesOptions } from 'trestle/testing'

type Intercept = NonNullable<StartServicesOptions['intercept']>

export interface FakeKey {
  readonly id: string
  readonly owner: string
  readonly prefix: string
  readonly plan: string | null
  readonly revokedAt: string | null
}

/** Stands in for the platform's service of keys: keeps them in memory, and fails when it is told to. */
export interface FakeAccess {
  readonly intercept: Intercept
  readonly keys: Map<string, FakeKey>
  /** What is reported as used, by owner. */
  readonly used: Map<string, { readonly requests: number; readonly units: number }>
  /** Asked as `{ operation, input }`. */
  readonly asked: { readonly operation: string; readonly input: Input }[]
  /** The next calls of this operation fail as if the service were down; `undefined`: none does. */
  down: string | undefined
}

type Input = Readonly<Record<string, unknown>>

/** Makes one; calls to other contracts pass. */
export function fakeAccess(): FakeAccess {
  const keys = new Map<string, FakeKey>()
  const used: FakeAccess['used'] = new Map()
  const asked: FakeAccess['asked'] = []

  const change = (id: string, changes: Partial<FakeKey>) => {
    const key = { ...(keys.get(id) as FakeKey), ...changes }
    keys.set(id, key)
    return shown(key)
  }
  const answers: Readonly<Record<string, (input: Input) => unknown>> = {
    createKey({ owner, plan }) {
      const id = `key-${keys.size + 1}`
      keys.set(id, { id, owner: String(owner), prefix: `trs_${id}`, plan: String(plan), revokedAt: null })
      return { key: change(id, {}), secret: `secret of ${id}` }
    },
    listKeys({ owner, cursor }) {
      const all = [...keys.values()].filter((key) => key.owner === owner).map(shown)
      const at = Number(cursor ?? 0)
      return { items: all.slice(at, at + 1), next: at + 1 < all.length ? String(at + 1) : null }
    },
    updateKey: ({ id, plan }) => change(String(id), { plan: String(plan) }),
    rotateKey: ({ id }) => ({
      key: change(String(id), { prefix: `trs_${String(id)}_2` }),
      secret: `second of ${String(id)}`,
    }),
    revokeKey({ id }) {
      change(String(id), { revokedAt: '2026-11-21T00:00:00.000Z' })
    },
    usage({ owner, from }) {
      const row = used.get(String(owner))
      return row === undefined ? [] : [{ keyId: null, route: null, statusClass: null, from, ...row }]
    },
  }
  const fake: FakeAccess = {
    keys,
    used,
    asked,
    down: undefined,
    intercept: async (call, next) => {
      if (!call.contract.startsWith('gateway-access@')) return next(call)
      const input = 'value' in call.input ? (call.input.value as Input) : {}
      asked.push({ operation: call.operation, input })
      if (call.operation === fake.down) throw new Error('the service of keys is down')
      const value = answers[call.operation]?.(input)
      const body = value === undefined ? { kind: 'empty' } : { kind: 'value', value }
      return { ok: true, status: value === undefined ? 204 : 200, body } as Awaited<ReturnType<Intercept>>
    },
  }
  return fake
}

function shown(key: FakeKey) {
  return {
    ...key,
    name: 'a key',
    environment: 'live',
    scopes: ['lookup'],
    enabled: true,
    createdAt: '2026-11-21T00:00:00.000Z',
    expiresAt: null,
    lastUsedAt: null,
  }
}
