import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startAdmin } from '../admin/index.ts'
import { local, split, type TestSystem } from '../testing/index.ts'
import { desk } from './fixtures/desk/contract.ts'
import { recordedIo } from './fixtures/recorded-io.ts'
import { runCli } from './run-cli.ts'

const desks = new URL('./fixtures/desk/system.ts', import.meta.url)

async function started(runner: typeof local) {
  const system = await runner.start(desks, { admin: startAdmin })
  return {
    system,
    trestle: async (...args: readonly string[]) => {
      const cwd = fileURLToPath(new URL('./', desks))
      const io = recordedIo({ cwd, env: { TRESTLE_DATA_DIR: system.dataDir } })
      const status = await runCli(args, io)
      return { status, ...io.said }
    },
    [Symbol.asyncDispose]: () => system.stop(),
  }
}

const ask = (system: TestSystem, id: string, topic: string) => system.client(desk).ask({ id, topic })
async function answered(system: TestSystem, ids: readonly string[]): Promise<void> {
  await expect.poll(async () => (await system.client(desk).answers({})).ids, { timeout: 20_000 }).toEqual(ids)
}

describe.each([local, split])('events and jobs on the command line, on the runner %s', (runner) => {
  it('show what is parked and why, redrive it when it is repaired, and replay what is past', async () => {
    await using desk1 = await started(runner)
    const { system, trestle } = desk1
    expect(await trestle('events')).toMatchObject({ status: 0, out: expect.stringContaining('no events have been') })
    await ask(system, 'a', 'easy')
    await ask(system, 'b', 'hard')
    await ask(system, 'c', 'hard')
    await ask(system, 'd', 'easy')
    await answered(system, ['a', 'd'])
    await expect
      .poll(async () => (await trestle('events', 'parked')).out, { timeout: 20_000 })
      .toMatch(/nobody knows \(1 try\)/)
    const parked = await trestle('events', 'parked', '--json')
    expect(JSON.parse(parked.out)).toMatchObject([
      {
        service: 'desk',
        subscription: 'desk.asked',
        key: 'hard',
        why: 'parked',
        event: { type: 'asked', payload: { id: 'b', topic: 'hard' } },
      },
    ])
    const listed = await trestle('events')
    expect(listed.out).toMatch(/^desk +desk@1 +4 /m)
    expect(listed.out).toMatch(/^desk +desk\.asked +0 +\d+ .* 1 +20\d\d-/m)

    const later = await trestle('events', 'replay', 'desk', 'desk.asked', '--since', '2999-01-01', '-r', 'a slip')
    expect(later).toMatchObject({
      status: 5,
      err: expect.stringMatching(/^passes_over: .*Replay from 20\d\d-.* or earlier$/m),
    })
    expect((await trestle('events', 'parked')).out).toContain('nobody knows')

    await system.client(desk).repair({})
    expect(await trestle('events', 'redrive', 'desk', 'desk.asked')).toMatchObject({
      status: 2,
      err: expect.stringContaining('(trestle events redrive --help explains)'),
    })
    expect(await trestle('events', 'redrive', 'desk', 'desk.answered', '-r', 'a slip')).toMatchObject({
      status: 5,
      err: expect.stringContaining('The subscriptions of desk: desk.asked'),
    })
    const redriven = await trestle('events', 'redrive', 'desk', 'desk.asked', '--reason', 'somebody knows')
    expect(redriven).toMatchObject({ status: 0, out: '1 parked key is tried again\n' })
    await answered(system, ['a', 'b', 'c', 'd'])
    expect(await trestle('events', 'parked')).toMatchObject({ status: 0, out: 'nothing is parked\n' })

    const replayed = await trestle('events', 'replay', 'desk', 'desk.asked', '--reason', 'to see it twice')
    expect(replayed).toMatchObject({ status: 0, out: 'generation 2 begins\n' })
    await answered(system, ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'])
    const ahead = await trestle('events', 'replay', 'desk', 'desk.asked', '--since', '2999-01-01', '-r', 'a slip')
    expect(ahead).toMatchObject({ status: 5, err: expect.stringContaining('passes_over') })
  })

  it('give up an event that nobody can handle, and go on with what is behind it', async () => {
    await using desk1 = await started(runner)
    const { system, trestle } = desk1
    await ask(system, 'b', 'hard')
    await expect
      .poll(async () => (await trestle('events', 'parked')).out, { timeout: 20_000 })
      .toContain('nobody knows')
    const [{ event }] = JSON.parse((await trestle('events', 'parked', '--json')).out) as [{ event: { id: string } }]
    const skip = (id: string) => trestle('events', 'skip', 'desk', 'desk.asked', 'hard', id, '-r', 'asked by mistake')
    expect(await skip('0198c0de-0000-7000-8000-000000000000')).toMatchObject({
      status: 5,
      err: expect.stringContaining('not_next'),
    })
    expect(await trestle('events', 'skip', 'desk', 'desk.answered', 'hard', event.id, '-r', 'a slip')).toMatchObject({
      status: 5,
      err: expect.stringContaining('The subscriptions of desk: desk.asked'),
    })
    expect(await skip(event.id)).toMatchObject({ status: 0, out: 'it is given up\n' })
    expect((await trestle('events', 'parked')).out).toBe('nothing is parked\n')
  })

  it('show when jobs are due, and run one now', async () => {
    await using desk1 = await started(runner)
    const { system, trestle } = desk1
    expect((await trestle('jobs')).out).toMatch(/^desk +tidy +every 1 hour +20\d\d-.* - +0 +0 +waits$/m)
    expect(await trestle('jobs', 'run', 'desk', 'tidy')).toMatchObject({ status: 0, out: 'tidy is due now\n' })
    await expect.poll(async () => (await system.client(desk).answers({})).tidied, { timeout: 20_000 }).toBe(1)
    expect(JSON.parse((await trestle('jobs', '--json')).out)).toMatchObject([{ name: 'tidy', runs: 1, failures: 0 }])
    const unknown = await trestle('jobs', 'run', 'desk', 'none')
    expect(unknown).toMatchObject({ status: 5, err: expect.stringContaining('The jobs of desk: tidy') })
    const nobody = await trestle('events', '--service', 'gateway')
    expect(nobody).toMatchObject({ status: 5, err: expect.stringContaining('unknown_service') })
  })
})
