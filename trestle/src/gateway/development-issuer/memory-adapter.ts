import { BoundedMap } from '../../std/bounded-map.ts'

type Payload = Record<string, unknown>
interface Stored {
  readonly payload: Payload
  readonly untilMs: number
}

const entriesMax = 10_000

/** Where an issuer of development keeps its sessions, codes and tokens: in memory, bounded, gone with the process. */
export function memoryAdapter(): (model: string) => object {
  const entries = new BoundedMap<string, Stored>(entriesMax)
  const find = (key: string): Payload | undefined => {
    const found = entries.get(key)
    return found === undefined || found.untilMs <= Date.now() ? undefined : found.payload
  }
  return (model) => ({
    async upsert(id: string, payload: Payload, expiresInSeconds?: number) {
      const untilMs = expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1_000
      entries.set(`${model}:${id}`, { payload, untilMs })
      if (typeof payload['uid'] === 'string') {
        entries.set(`${model}/uid:${payload['uid']}`, { payload, untilMs })
      }
    },
    find: async (id: string) => find(`${model}:${id}`),
    findByUid: async (uid: string) => find(`${model}/uid:${uid}`),
    findByUserCode: async () => undefined,
    async consume(id: string) {
      const payload = find(`${model}:${id}`)
      if (payload !== undefined) payload['consumed'] = Math.floor(Date.now() / 1_000)
    },
    async destroy(id: string) {
      const uid = find(`${model}:${id}`)?.['uid']
      entries.delete(`${model}:${id}`)
      if (typeof uid === 'string') entries.delete(`${model}/uid:${uid}`)
    },
    async revokeByGrantId(grantId: string) {
      entries.deleteWhere(({ payload }) => payload['grantId'] === grantId)
    },
  })
}
