/**
 * The load: `node load-main.ts`, on the upstream's core. It is told over its channel what to ask for, and answers with
 * the figures. Open loop: requests are due at fixed times, and latency is measured from there (no coordinated omission).
 */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

/** One round of load. */
export interface LoadTask {
  readonly port: number
  /** Whole requests, asked in turn. */
  readonly requests: readonly string[]
  readonly perSecond: number
  readonly seconds: number
  readonly connections: number
  /** Must stand in every reply; replies are cut by Content-Length or chunks. */
  readonly mustContain: string
}

export interface LoadResult {
  readonly asked: number
  readonly answered: number
  readonly wrong: readonly string[]
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number }
}

class Lane {
  readonly socket: Socket
  dueMs = 0
  busy = false
  #text = ''
  readonly #done: (lane: Lane, reply: string) => void

  constructor(port: number, done: (lane: Lane, reply: string) => void, failed: (error: Error) => void) {
    this.#done = done
    this.socket = connect(port, '127.0.0.1')
    this.socket.setNoDelay(true)
    this.socket.on('error', failed)
    this.socket.on('close', () => failed(new Error('a connection was closed')))
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  #read(chunk: Buffer): void {
    this.#text += chunk.toString('latin1')
    const head = this.#text.indexOf('\r\n\r\n')
    if (head === -1) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#text.slice(0, head + 2))?.[1]
    const whole =
      length === undefined ? this.#text.endsWith('\r\n0\r\n\r\n') : this.#text.length >= head + 4 + Number(length)
    if (!whole) return
    const reply = this.#text
    this.#text = ''
    this.busy = false
    this.#done(this, reply)
  }
}

async function load(task: LoadTask): Promise<LoadResult> {
  const latencies: number[] = []
  const wrong: string[] = []
  const waiting: number[] = []
  let asked = 0
  const note = (text: string) => void (wrong.length < 5 && wrong.push(text.slice(0, 300)))
  const start = (lane: Lane, dueMs: number) => {
    lane.busy = true
    lane.dueMs = dueMs
    lane.socket.write(task.requests[asked++ % task.requests.length] as string)
  }
  let ended = false
  const done = (lane: Lane, reply: string) => {
    latencies.push(performance.now() - lane.dueMs)
    if (!reply.startsWith('HTTP/1.1 200') || !reply.includes(task.mustContain)) note(reply)
    const next = waiting.shift()
    if (next !== undefined) start(lane, next)
  }
  const failed = (error: Error) => void (!ended && note(String(error)))
  const lanes = Array.from({ length: task.connections }, () => new Lane(task.port, done, failed))
  await Promise.all(lanes.map((lane) => new Promise((resolve) => lane.socket.once('connect', resolve))))

  const beginMs = performance.now()
  const everyMs = 1_000 / task.perSecond
  const total = Math.round(task.seconds * task.perSecond)
  let due = 0
  await new Promise<void>((resolve) => {
    const tick = () => {
      const nowMs = performance.now()
      for (; due < total && beginMs + due * everyMs <= nowMs; due += 1) {
        const dueMs = beginMs + due * everyMs
        const lane = lanes.find((one) => !one.busy)
        if (lane === undefined) waiting.push(dueMs)
        else start(lane, dueMs)
      }
      const late = nowMs > beginMs + task.seconds * 1_000 + 5_000
      if (late || wrong.length >= 5 || (due === total && latencies.length >= asked && waiting.length === 0)) resolve()
      else if (due < total) setTimeout(tick, 1)
      else setTimeout(tick, 5)
    }
    tick()
  })
  ended = true
  for (const { socket } of lanes) socket.destroy()
  const sorted = Float64Array.from(latencies).toSorted()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return {
    asked,
    answered: latencies.length,
    wrong,
    latencyMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999) },
  }
}

process.on('message', (task: LoadTask) => {
  void load(task).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
