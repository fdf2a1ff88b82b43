import type { Clock } from '../../std/clock.ts'
import type { Demand, RedisCountersSpec, SharedCounters, Taken } from './counters.ts'

/**
 * KEYS: one per limit. ARGV: for each, what it takes and what it may hold, in milliseconds. Gives whether all were taken
 * and the debt of each. A clock that was set back cannot make anybody wait longer than a burst.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local allowed = 1
local debts = {}
for i, key in ipairs(KEYS) do
  local takes, holds = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local tat = tonumber(redis.call('GET', key)) or now
  debts[i] = math.min(math.max(tat - now, 0), holds)
  if debts[i] + takes > holds + 0.001 then allowed = 0 end
end
local reply = { allowed }
for i, key in ipairs(KEYS) do
  local takes = tonumber(ARGV[2 * i - 1])
  if allowed == 1 and takes > 0 then
    debts[i] = debts[i] + takes
    redis.call('SET', key, string.format('%.3f', now + debts[i]), 'PX', math.ceil(debts[i]) + 1)
  end
  reply[i + 1] = string.format('%.3f', debts[i])
end
return reply
`

/** What is used of `ioredis`. */
interface RedisClient {
  trestleTake(keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
  connect(): Promise<unknown>
  ping(): Promise<unknown>
  disconnect(): void
}

const connectTimeoutMs = 1_000
/** How long the start of a gateway waits for its Redis. */
const startTimeoutMs = 500
/** A connection on which nothing is answered for so long is given up for a new one. */
const silenceMaxMs = 5_000
const reconnectMaxMs = 2_000

export interface RedisCountersDeps {
  readonly clock: Clock
  readonly onError: (error: Error) => void
}

/**
 * Counts in a Redis by its own clock. Nothing waits for a connection: while there is none, every step fails at once.
 * @throws Error when the package `ioredis` is not installed
 */
export async function redisCounters(
  { url, prefix }: Pick<RedisCountersSpec, 'url' | 'prefix'>,
  { clock, onError }: RedisCountersDeps,
): Promise<SharedCounters> {
  const client = await connect(url, onError)
  // A gateway starts without its Redis; the client goes on trying.
  await Promise.race([client.connect().catch(() => undefined), elapsed(clock, startTimeoutMs)])
  return {
    async take(demands) {
      const keys = demands.map(({ limit, key }) => `${prefix}:rate:${limit.name}:${key}`)
      const numbers = demands.flatMap(({ limit: { law }, cost }) => [cost * law.emissionMs, law.burstMs])
      return takenOf(await client.trestleTake(keys.length, ...keys, ...numbers), demands)
    },
    async ping() {
      await client.ping()
    },
    async close() {
      client.disconnect()
    },
  }
}

async function connect(url: string, onError: (error: Error) => void): Promise<RedisClient> {
  const { Redis } = await import('ioredis').catch((cause: unknown) => {
    throw new Error('Rate limits are counted in Redis, which needs the package ioredis: npm install ioredis', { cause })
  })
  const client = new Redis(url, {
    connectTimeout: connectTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), reconnectMaxMs),
    socketTimeout: silenceMaxMs,
    lazyConnect: true,
  })
  client.on('error', onError)
  client.defineCommand('trestleTake', { lua: script })
  // `defineCommand` adds a method that the types of the package do not know.
  return client as unknown as RedisClient
}

/** @throws TypeError when the answer has another form */
function takenOf(reply: unknown, demands: readonly Demand[]): Taken {
  const [allowed, ...debts] = Array.isArray(reply) ? (reply as unknown[]) : []
  const debtsMs = debts.map(Number)
  if (debtsMs.length !== demands.length || debtsMs.some(Number.isNaN)) {
    throw new TypeError('Redis gave another answer than the script of the rate limits gives')
  }
  return { allowed: allowed === 1, debtsMs }
}

function elapsed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms))
}
