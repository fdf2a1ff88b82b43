import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { exitOf } from './exit-of.ts'

const ended = (code: string) => exitOf(spawn(process.execPath, ['-e', code], { stdio: 'ignore' }), () => undefined)

it('says how a process ended, or why it could not begin; what goes wrong with one that lives on is no exit', async () => {
  expect(await Promise.all([ended(''), ended('process.exit(3)')])).toEqual([
    { normal: true, reason: 'exited with code 0' },
    { normal: false, reason: 'exited with code 3' },
  ])
  expect(await exitOf(spawn('/there/is/no/such/program'), () => undefined)).toEqual({
    normal: false,
    reason: expect.stringContaining('ENOENT'),
  })

  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
  const order: string[] = []
  const exit = exitOf(child, () => 'it was told to').finally(() => order.push('exit'))
  child.emit('error', new Error('kill EPERM'))
  await new Promise((resolve) => setImmediate(resolve))
  order.push('lives')
  child.kill('SIGKILL')
  expect(await exit).toEqual({ normal: false, reason: 'it was told to' })
  expect(order).toEqual(['lives', 'exit'])
})
