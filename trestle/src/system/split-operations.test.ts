import { describe, expect, it } from 'vitest'
import { contract, get, anyone } from '../contract/index.ts'
import { z } from 'zod'
import { split, type TestSystem } from '../testing/index.ts'
import { copyTiny } from './fixtures/copy-tiny.ts'
import { steadyLoad } from './fixtures/steady-load.ts'
import { counter } from './fixtures/tiny/contracts.ts'

const tiny = new URL('./fixtures/tiny/system.ts', import.meta.url)

const greet = (system: TestSystem) => async () => {
  const reply = await system.fetch('/greetings/ann')
  const text = await reply.text()
  return reply.status === 200 ? '200' : `${reply.status} ${text}`
}

async function until(condition: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await condition())) if (performance.now() > deadline) throw new Error('it did not come true in time')
}

async function pidsOf(system: TestSystem, service: string): Promise<readonly (number | undefined)[]> {
  const found = (await system.ps()).services.find((each) => each.service === service)
  return (found?.processes ?? []).map((process) => process.pid)
}

describe('a split system under steady load', () => {
  it('fails no request while services and the gateway are scaled, restarted and deployed', async () => {
    await using code = await copyTiny()
    await using system = await split.start(code.url)
    const load = steadyLoad(greet(system))
    await load.answered(50)
    await system.scale('counter', 3)
    await system.scale('gateway', 2)
    await load.answered(50)
    await code.edit('greeter.ts', 'Hello, ', 'Good day, ')
    await system.deploy('greeter')
    await load.answered(20)
    expect(await (await system.fetch('/greetings/eve')).json()).toMatchObject({ text: 'Good day, eve' })
    await system.operator.restart('counter')
    await system.operator.restart('gateway')
    await load.answered(50)
    await system.scale('counter', 1)
    await system.scale('gateway', 1)
    await load.answered(50)
    const outcomes = await load.stop()
    expect(Object.keys(outcomes)).toEqual(['200'])
    expect(outcomes['200']).toBeGreaterThan(200)
    expect(await pidsOf(system, 'counter')).toHaveLength(1)
  })

  it('keeps the old code when the new does not start, and says why with the words of its own error', async () => {
    await using code = await copyTiny()
    await using system = await split.start(code.url)
    const before = await pidsOf(system, 'greeter')
    await code.edit('greeter.ts', 'const impl', "if (process.pid > 0) throw new Error('a broken build')\nconst impl")
    const load = steadyLoad(greet(system))
    await expect(system.deploy('greeter')).rejects.toMatchObject({
      code: 'deploy_failed',
      message: 'greeter: its code cannot be loaded: a broken build; what ran before still runs',
    })
    await load.answered(20)
    expect(Object.keys(await load.stop())).toEqual(['200'])
    expect(await pidsOf(system, 'greeter')).toEqual(before)
  })

  it('runs two versions of a contract at once after the deployment of a service that implements both', async () => {
    await using code = await copyTiny()
    await using system = await split.start(code.url)
    await code.edit('contracts.ts', 'export const greeter', greeterTwo)
    await code.edit('greeter.ts', 'import { counter, greeter }', 'import { counter, greeter, greeterTwo }')
    await code.edit('greeter.ts', 'implement(greeter,', 'implement([greeter, greeterTwo],')
    await code.edit('greeter.ts', 'handlers: {', 'handlers: [{')
    await code.edit(
      'greeter.ts',
      '  },\n})',
      "  }, { welcome: ({ input }) => ({ words: ['Welcome', input.name] }) }],\n})",
    )
    await system.deploy('greeter')
    const second = contract('greeter', {
      version: '2.0.0',
      operations: {
        welcome: get('/welcomes/{name}', {
          input: z.object({ name: z.string() }),
          output: z.object({ words: z.array(z.string()) }),
          access: anyone(),
        }),
      },
    })
    expect(await system.client(second).welcome({ name: 'ann' })).toEqual({ words: ['Welcome', 'ann'] })
    expect((await system.fetch('/hello')).status).toBe(200)
    const status = (await system.ps()).services.find((each) => each.service === 'greeter')
    expect(status?.contracts).toEqual(['greeter@1', 'greeter@2'])
  })
})

const greeterTwo = `export const greeterTwo = contract('greeter', {
  version: '2.0.0',
  operations: {
    welcome: get('/welcomes/{name}', { input: named, output: z.object({ words: z.array(z.string()) }), access: anyone() }),
  },
})

export const greeter`

describe('a split system in trouble', () => {
  it('answers 503 with Retry-After for what is down, serves the rest, and is whole again by itself', async () => {
    await using system = await split.start(tiny)
    await system.operator.stop('counter')
    const down = await system.fetch('/greetings/ann')
    expect([down.status, await codeOf(down)]).toEqual([503, 'dependency_unavailable'])
    const direct = await system.fetch('/counts/first')
    expect([direct.status, await codeOf(direct)]).toEqual([503, 'unavailable'])
    expect(Number(direct.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await system.fetch('/hello')).status).toBe(200)
    await system.operator.start('counter')
    expect((await system.fetch('/counts/first')).status).toBe(200)

    await system.kill('counter')
    expect((await system.fetch('/hello')).status).toBe(200)
    await until(async () => (await system.fetch('/counts/first')).status === 200)
    const counters = (await system.ps()).services.find((each) => each.service === 'counter')
    expect(counters?.processes[0]?.restarts).toBe(1)
  })

  it('leaves the others serving while one process turns in an endless loop, and ends that one', async () => {
    await using system = await split.start(tiny, { liveness: { pingEveryMs: 200, unansweredMaxMs: 2_000 } })
    const [before] = await pidsOf(system, 'counter')
    const spinning = system.client(counter).spin.try({}, { timeoutMs: 5_000 })
    expect((await system.fetch('/hello')).status).toBe(200)
    await until(async () => (await system.fetch('/counts/first')).status === 200)
    expect((await pidsOf(system, 'counter'))[0]).not.toBe(before)
    expect((await spinning).ok).toBe(false)
  })

  it('restarts a service whose process crashed, and knows why', async () => {
    await using system = await split.start(tiny)
    await system.client(counter).crash.try({})
    await until(async () => {
      const found = (await system.ps()).services.find((each) => each.service === 'counter')
      return found?.state === 'ready' && found.processes[0]?.restarts === 1
    })
    expect((await system.fetch('/counts/first')).status).toBe(200)
  })

  it('does not start when a service cannot, and names service and cause', async () => {
    await using code = await copyTiny()
    await code.edit('migrations/0001-counts.sql', 'create table counts', 'create tabel counts')
    await expect(split.start(code.url)).rejects.toMatchObject({
      code: 'service_failed',
      message: expect.stringMatching(/^counter: its migrations failed: .*0001-counts.*/),
    })
  })
})

async function codeOf(reply: Response): Promise<unknown> {
  return ((await reply.json()) as { code: unknown }).code
}
