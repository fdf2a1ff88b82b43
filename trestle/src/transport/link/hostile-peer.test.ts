import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Call, Handle, Reply } from '../../call/call.ts'
import { anonymous } from '../../call/caller.ts'
import { systemClock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import { encodeCallMeta } from './call-codec.ts'
import { Flag, type Frame, FrameType, headerBytes, headerRestBytes } from './frame.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { hello, parseHello, prove } from './handshake.ts'
import { connectLink, type LinkServer, listenLink } from './index.ts'

const key = new Uint8Array(32).fill(7)
const callers = { encode: JSON.stringify, decode: (text: string) => JSON.parse(text) }
const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
const path = join(folder, 's')
const limits = { handshakeTimeoutMs: 300, messageMaxBytes: 200_000 }
const logged: string[] = []
const say = (fields: Readonly<Record<string, unknown>>): void => void logged.push(String(fields['reason']))
const log = { info: say, warn: say }
const ends = { key, callers, clock: systemClock, log, limits }
const echo: Handle = async ({ input }) => ({
  ok: true,
  status: 200,
  body: { kind: 'value', value: input.kind === 'value' ? input.value : null },
})
let server: LinkServer

beforeAll(async () => {
  const self = { process: 'callee', services: ['orders'] }
  server = await listenLink({ ...ends, address: { kind: 'unix', path }, self, handle: echo })
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const call: Call = {
  contract: 'orders@1',
  operation: 'find',
  input: { kind: 'value', value: { n: 1 } },
  want: 'value',
  deadlineMs: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
  caller: anonymous,
  from: 'carts',
  trace: newTrace(),
  key: undefined,
}

function frame(type: number, flags: number, stream: number, meta: string, body: string | Uint8Array = ''): Buffer {
  const [metaBytes, bodyBytes] = [Buffer.from(meta), Buffer.from(body)]
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32BE(headerRestBytes + metaBytes.length + bodyBytes.length, 0)
  header[4] = type
  header[5] = flags
  header.writeUInt32BE(stream, 6)
  header.writeUInt32BE(metaBytes.length, 10)
  return Buffer.concat([header, metaBytes, bodyBytes])
}

/** Says hello as a peer with the key would, then sends `pieces`; resolves with what came back when the link closes. */
function speak(piecesAfterHandshake: readonly Buffer[], split?: number): Promise<Frame[]> {
  return new Promise((resolve) => {
    const frames: Frame[] = []
    const ours = hello({ process: 'caller', services: ['carts'] }, 100, 100_000)
    const decoder = new FrameDecoder(1_000_000)
    const socket = connect(path)
    socket.on('error', () => {})
    socket.on('close', () => resolve(frames))
    socket.write(frame(FrameType.hello, Flag.end, 0, ours))
    const greet = (theirs: Buffer) => {
      const proof = prove(key, 'caller', ours, theirs.toString('utf8'))
      const bytes = Buffer.concat([frame(FrameType.proof, Flag.end, 0, '', proof), ...piecesAfterHandshake])
      socket.write(bytes.subarray(0, split))
      if (split !== undefined) setImmediate(() => socket.write(bytes.subarray(split)))
    }
    socket.on('data', (chunk: Buffer) =>
      decoder.push(chunk, (received) => {
        frames.push(received)
        if (received.type === FrameType.hello) greet(received.meta)
      }),
    )
  })
}

const valid = (stream: number): Buffer =>
  frame(FrameType.call, Flag.end, stream, encodeCallMeta(call, 5_000, callers), '{"n":1}')
const gone = frame(FrameType.gone, Flag.end, 0, '')

async function stillServes(): Promise<boolean> {
  const frames = await speak([valid(1), gone])
  return frames.some(({ type, body }) => type === FrameType.reply && body.toString() === '{"n":1}')
}

/** Sends bytes without any handshake and waits until the listener closes the connection. */
function throwAt(bytes: Uint8Array, end = false): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
    if (end) socket.end(bytes)
    else socket.write(bytes)
  })
}

describe('a listener and a peer that does not keep to the protocol', () => {
  it('closes on silence, with the reason', async () => {
    logged.length = 0
    await throwAt(new Uint8Array(0))
    expect(logged).toEqual(['silence during the handshake'])
  })

  it('survives random bytes', async () => {
    const law = fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => throwAt(bytes, true))
    await fc.assert(law, { numRuns: 100 })
    expect(await stillServes()).toBe(true)
  })

  it('takes a stream that is split anywhere', async () => {
    const whole = Buffer.concat([valid(1), valid(2), gone])
    const proofBytes = frame(FrameType.proof, Flag.end, 0, '', new Uint8Array(32)).length
    const splits = Array.from({ length: whole.length + proofBytes - 1 }, (_, i) => i + 1)
    const answers = await Promise.all(splits.map((split) => speak([whole], split)))
    const replies = answers.map((frames) => frames.filter(({ type }) => type === FrameType.reply).length)
    expect(replies).toEqual(splits.map(() => 2))
  })

  it('answers a stream with flipped bits or closes, and goes on serving others', async () => {
    const bytes = Buffer.concat([valid(1), valid(2)])
    const flip = fc.record({ at: fc.nat({ max: bytes.length - 1 }), bit: fc.nat({ max: 7 }) })
    const law = fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 4 }), async (flips) => {
      const changed = Buffer.from(bytes)
      for (const { at, bit } of flips) changed[at] = (changed[at] as number) ^ (1 << bit)
      // A frame that now seems longer waits for its rest: what follows is taken for it, and it is too large or malformed.
      await speak([changed, gone, frame(99, 0, 0, ''), Buffer.alloc(400_000, 0xff)])
    })
    await fc.assert(law, { numRuns: 100 })
    expect(await stillServes()).toBe(true)
  })

  const meta = encodeCallMeta(call, 5_000, callers)
  it.each([
    ['an oversized frame', Buffer.from([0x7f, 0xff, 0xff, 0xff, ...Array(10).fill(0)]), 'is larger than'],
    ['a frame shorter than its header', Buffer.from(Array(14).fill(0)), 'is shorter than its header'],
    ['an unknown type', frame(99, 0, 1, ''), 'frame type 99 is unknown'],
    ['a reply from a caller', frame(FrameType.reply, 1, 1, ''), 'is not expected from a caller'],
    ['a meta part without a call', frame(FrameType.call, 1, 1, '[]'), 'malformed call'],
    ['a call that is no JSON', frame(FrameType.call, 1, 1, '{'), 'malformed JSON'],
    ['an input that is no JSON', frame(FrameType.call, 1, 1, meta, '{'), 'malformed JSON'],
    ['a number used twice', Buffer.concat([valid(1), valid(1)]), 'used twice'],
    ['data for a call that was never made', frame(FrameType.data, 1, 7, '', 'x'), 'never made'],
    ['a second hello', frame(FrameType.hello, 1, 0, '{}'), 'is not expected'],
  ])('closes on %s', async (_, bytes, reason) => {
    logged.length = 0
    await speak([bytes])
    expect(logged).toEqual([expect.stringContaining(reason)])
  })

  it('closes on a wrong proof, and says why', async () => {
    logged.length = 0
    const socket = connect(path)
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    const ours = hello({ process: 'caller', services: ['carts'] }, 100, 100_000)
    socket.write(frame(FrameType.hello, 1, 0, ours))
    socket.write(frame(FrameType.proof, 1, 0, '', new Uint8Array(32)))
    await new Promise((resolve) => socket.on('close', resolve))
    expect(Buffer.concat(received).toString('latin1')).toContain('wrong key')
    expect(logged).toEqual(['the peer does not have the key of this system'])
  })

  it('refuses a body that grows beyond the bound, and the link lives on', async () => {
    const start = frame(FrameType.call, 0, 1, meta, Buffer.alloc(60_000, 0x20))
    const more = frame(FrameType.data, 0, 1, '', Buffer.alloc(60_000, 0x20))
    const end = frame(FrameType.data, Flag.end, 1, '')
    const frames = await speak([start, more, more, more, more, end, valid(2), gone])
    const replies = frames.filter(({ type }) => type === FrameType.reply).map(({ body }) => body.toString())
    expect(replies).toEqual([expect.stringContaining('"code":"body_too_large"'), '{"n":1}'])
  })
})

async function against(answer: (theirHello: Buffer) => readonly Buffer[]): Promise<Reply> {
  const fakePath = join(folder, 'fake')
  const fake: Server = createServer((socket) => {
    const decoder = new FrameDecoder(1_000_000)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) =>
      decoder.push(chunk, ({ type, meta }) => {
        if (type === FrameType.hello) socket.write(Buffer.concat(answer(meta)))
      }),
    )
  })
  await new Promise<void>((resolve) => fake.listen(fakePath, resolve))
  const self = { process: 'caller', services: ['carts'] }
  const transport = connectLink({ ...ends, address: { kind: 'unix', path: fakePath }, self })
  const reply = await transport.send({ ...call, deadlineMs: systemClock.monotonic() + 10_000 })
  await transport.close()
  await new Promise((resolve) => fake.close(resolve))
  return reply
}

const greeting = (theirs: Buffer): Buffer => {
  const ours = hello({ process: 'fake', services: [] }, 100, 100_000)
  parseHello(theirs)
  return frame(FrameType.hello, 1, 0, ours, prove(key, 'callee', theirs.toString('utf8'), ours))
}

describe('a caller and a callee that does not keep to the protocol', () => {
  it.each([
    ['bytes that are no frame', () => [Buffer.alloc(100, 0xff)]],
    ['a hello without a proof', () => [frame(FrameType.hello, 1, 0, hello({ process: 'f', services: [] }, 1, 1))]],
    ['silence', () => []],
    ['a refusal', (theirs: Buffer) => [greeting(theirs), frame(FrameType.refuse, 1, 0, 'no')]],
  ])('says unavailable for %s: nothing was processed', async (_, answer) => {
    expect(await against(answer)).toMatchObject({ ok: false, problem: { code: 'unavailable' } })
  })

  it('never waits longer than the handshake may take for a callee that says nothing', async () => {
    const startMs = systemClock.monotonic()
    await against(() => [])
    expect(systemClock.monotonic() - startMs).toBeLessThan(5_000)
  })
})
