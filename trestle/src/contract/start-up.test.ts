import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileOperation } from './compile-operation.ts'
import { contract, get, problem } from './index.ts'

const operationsCount = 40

function manyOperations() {
  const Line = z.object({
    sku: z.string(),
    quantity: z.int().min(1),
    price: z.object({ amount: z.int(), currency: z.enum(['EUR', 'USD']) }),
  })
  const operations = Object.fromEntries(
    Array.from({ length: operationsCount }, (_, index) => [
      `find${index}`,
      get(`/r${index}/{id}`, {
        input: z.object({ id: z.uuid(), [`f${index}`]: z.string().optional() }),
        output: z.object({
          id: z.uuid(),
          lines: z.array(Line).max(100),
          status: z.enum(['a', 'b']),
          note: z.string().nullable(),
        }),
        errors: { not_here: problem(404, z.object({ id: z.string() })) },
      }),
    ]),
  )
  return Object.values(contract('many', { version: '1.0.0', operations }).operations)
}

const cpuMs = (work: () => void) => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

describe('the start of a process with forty operations', () => {
  it('pays for checking them, and compiles none before it is asked', () => {
    const spent = cpuMs(() => {
      const operations = manyOperations()
      expect(operations).toHaveLength(operationsCount)
      for (const operation of operations) compileOperation(operation)
    })
    // CPU time, not the clock: others share the machine. Measured: about 25 ms.
    expect(spent).toBeLessThan(150)
  })

  it('compiles an operation once, in a few milliseconds', () => {
    const operations = manyOperations()
    const output = { id: '0190d3c5-7b3a-7000-8000-000000000000', lines: [], status: 'a', note: null }
    const use = () => {
      for (const operation of operations) {
        const compiled = compileOperation(operation)
        expect(compiled.parseInput({ id: output.id }).ok).toBe(true)
        expect(compiled.serializeOutput(output, 200).ok).toBe(true)
      }
    }
    const first = cpuMs(use)
    const second = cpuMs(use)
    // Measured: about 160 ms with cold code, then 1 ms.
    expect(first).toBeLessThan(600)
    expect(second).toBeLessThan(first / 4)
  })
})
