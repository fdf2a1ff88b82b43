import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startAdmin } from '../admin/index.ts'
import { local, split } from '../testing/index.ts'
import { trips } from './fixtures/trips/contract.ts'
import { recordedIo } from './fixtures/recorded-io.ts'
import { runCli } from './run-cli.ts'

const tripsSystem = new URL('./fixtures/trips/system.ts', import.meta.url)

async function started(runner: typeof local) {
  const system = await runner.start(tripsSystem, { admin: startAdmin })
  const trestle = async (...args: readonly string[]) => {
    const cwd = fileURLToPath(new URL('./', tripsSystem))
    const io = recordedIo({ cwd, env: { TRESTLE_DATA_DIR: system.dataDir } })
    const status = await runCli(args, io)
    return { status, ...io.said }
  }
  return {
    system,
    trestle,
    /** The one instance of a trip, when it has come to a state. */
    async instance(id: string, state: string): Promise<string> {
      const look = async () => {
        const { out } = await trestle('sagas', '--key', id, '--state', 'all', '--json')
        return (JSON.parse(out) as { id: string; state: string }[])[0]
      }
      await expect.poll(async () => (await look())?.state, { timeout: 20_000 }).toBe(state)
      return (await look())?.id ?? ''
    },
    [Symbol.asyncDispose]: () => system.stop(),
  }
}

describe.each([local, split])('sagas on the command line, on the runner %s', (runner) => {
  it('show what each waits for and how it came to that, and one can be cancelled', async () => {
    await using there = await started(runner)
    const { system, trestle } = there
    expect(await trestle('sagas')).toMatchObject({ status: 0, out: 'all sagas have ended\n' })
    await system.client(trips).book({ id: 'rome', hotel: 'fine' })
    const id = await there.instance('rome', 'waiting')
    expect((await trestle('sagas')).out).toMatch(/^trips +booking +rome +\S+ +waiting +the event of paid +20\d\d-/m)
    expect((await trestle('sagas', 'show', 'trips', id)).out).toMatch(/^\d+ +20\d\d-\S+ \S+ +hotel +run +done +\d+ ms/m)
    expect((await trestle('sagas', 'cancel', 'trips', id)).status).toBe(2)
    const cancelled = await trestle('sagas', 'cancel', 'trips', id, '--reason', 'asked by phone')
    expect(cancelled).toMatchObject({ status: 0, out: 'it is being undone\n' })
    await there.instance('rome', 'undone')
    const shown = await trestle('sagas', 'show', 'trips', id)
    expect(shown.out).toMatch(/^\d+ .* hotel +undo +done/m)
    expect(shown.out).toContain('asked by phone')
    expect(await trestle('sagas', 'cancel', 'trips', id, '-r', 'again')).toMatchObject({
      status: 5,
      err: expect.stringContaining('ended'),
    })
  })

  it('name one that is stuck, which goes on when somebody has decided how', async () => {
    await using there = await started(runner)
    const { system, trestle } = there
    await system.client(trips).book({ id: 'oslo', hotel: 'keeps' })
    await there.instance('oslo', 'waiting').then((id) => trestle('sagas', 'cancel', 'trips', id, '-r', 'no time'))
    const id = await there.instance('oslo', 'stuck')
    expect((await trestle('sagas', '--state', 'stuck')).out).toContain('somebody to look at the undo of hotel')
    const resolved = await trestle('sagas', 'resolve', 'trips', id, '--how', 'skip', '--reason', 'the hotel was asked')
    expect(resolved).toMatchObject({ status: 0, out: 'it goes on\n' })
    await there.instance('oslo', 'undone')
    expect((await trestle('sagas', 'show', 'trips', id)).out).toContain('the hotel was asked')
    expect(await trestle('sagas', 'retry', 'trips', id)).toMatchObject({
      status: 5,
      err: expect.stringContaining('not_waiting'),
    })
    expect((await trestle('sagas', 'resolve', 'trips', id, '--how', 'somehow', '-r', 'x')).status).toBe(2)
    const nobody = '0198c0de-0000-7000-8000-000000000001'
    const unknown = { status: 5, err: expect.stringContaining('unknown_saga') }
    expect(await trestle('sagas', 'retry', 'trips', nobody)).toMatchObject(unknown)
    expect(await trestle('sagas', 'resolve', 'trips', nobody, '--how', 'skip', '-r', 'x')).toMatchObject(unknown)
    expect((await trestle('sagas', '--saga', 'bookin')).out).toBe('there is no such saga\n')
    expect((await trestle('sagas', 'bogus')).err).toContain('(trestle sagas --help explains)')
  })
})
