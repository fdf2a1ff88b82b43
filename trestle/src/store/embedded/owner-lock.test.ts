import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTestDir } from '../fixtures/store-fixture.ts'
import { claimDirectory, currentOwner } from './owner-lock.ts'
import { processIdentity } from './process-identity.ts'

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

  it('does not take a living process for a dead one that had its number', () => {
    write(1, { pid: process.pid, identity: `${processIdentity(process.pid)}0` })
    expect(() => claim().release()).not.toThrow()
  })

  it('takes over from a claim that a crash cut off', () => {
    writeFileSync(join(dir.path, 'owner.1.json'), '{"pid":')
    expect(() => claim().release()).not.toThrow()
  })
})
