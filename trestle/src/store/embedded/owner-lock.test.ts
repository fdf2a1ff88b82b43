import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTestDir } from '../fixtures/store-fixture.ts'
import { claimDirectory, currentOwner } from './owner-lock.ts'
import { processIdentity } from './process-identity.ts'

const program = fileURLToPath(new URL('../fixtures/claiming-process.ts', import.meta.url))

let dir: ReturnType<typeof makeTestDir>
beforeEach(() => {
  dir = makeTestDir()
})
afterEach(() => dir.remove())

const claim = () => claimDirectory(dir.path, () => 0)
const ownerFiles = () => readdirSync(dir.path).filter((name) => name.startsWith('owner'))
const write = (number: number, owner: object) =>
  writeFileSync(join(dir.path, `owner.${number}.json`), JSON.stringify({ since: 'then', addresses: {}, ...owner }))

describe('claimDirectory', () => {
  it('says where nothing can be written, and leaves nothing there', () => {
    writeFileSync(join(dir.path, 'file'), '')
    const place = join(dir.path, 'file', 'postgres')
    const said = { code: 'embedded_failed', message: expect.stringContaining(`Nothing can be written to ${place}`) }
    expect(() => claimDirectory(place, () => 0)).toThrow(expect.objectContaining(said))
    expect(ownerFiles()).toEqual([])
  })

  it('lets one in, and tells the other who and where', () => {
    const lock = claim()
    lock.announce({ gateway: 'http://127.0.0.1:4000' })
    expect(claim).toThrow(
      expect.objectContaining({
        code: 'already_running',
        message: expect.stringContaining('gateway http://127.0.0.1:4000'),
        details: {
          pid: process.pid,
          since: '1970-01-01T00:00:00.000Z',
          addresses: { gateway: 'http://127.0.0.1:4000' },
        },
      }),
    )
    expect(currentOwner(dir.path)?.pid).toBe(process.pid)
    lock.release()
    expect(currentOwner(dir.path)).toBeUndefined()
    claim().release()
    expect(ownerFiles()).toEqual([])
  })

  it('takes over from a process that is gone', () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    write(3, { pid, identity: 'some run' })
    const lock = claim()
    expect(ownerFiles()).toEqual(['owner.4.json'])
    lock.release()
  })

  it('lets in one of many that find the same dead owner at once', async () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    write(1, { pid, identity: 'some run' })
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [program, dir.path], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    const say = async (child: (typeof children)[number]) => String((await once(child.stdout, 'data'))[0]).trim()
    const ready = await Promise.all(children.map(say))
    expect(ready).toEqual(['ready', 'ready', 'ready', 'ready'])
    const results = Promise.all(children.map(say))
    for (const child of children) child.stdin.write('go\n')
    expect((await results).toSorted()).toEqual(['already_running', 'already_running', 'already_running', 'owner'])
    await Promise.all(
      children.map((child) => {
        const gone = once(child, 'close')
        child.kill('SIGKILL')
        return gone
      }),
    )
    claim().release()
  })

  it('does not take a living process for a dead one that had its number', () => {
    write(1, { pid: process.pid, identity: `${processIdentity(process.pid)}0` })
    expect(() => claim().release()).not.toThrow()
  })

  it('takes over from a claim that a crash cut off', () => {
    writeFileSync(join(dir.path, 'owner.1.json'), '{"pid":')
    expect(() => claim().release()).not.toThrow()
  })
})
