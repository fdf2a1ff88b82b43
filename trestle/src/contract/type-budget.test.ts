import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

/**
 * Instantiations that 150 operations with their services and clients may cost beyond what importing the package costs
 * (a quarter above what was measured; decision 0024 has the figures). A change that needs more must say what for.
 */
const instantiationsMax = 700_000
const services = 10
const operationsEach = 15

const source = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dirname(source))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const run = promisify(execFile)

/** One of the shapes that real operations have, in turn. */
function operation(service: number, index: number): string {
  const order = `z.object({ id: z.uuid(), lines: z.array(Line).min(1).max(100), total: Money, f${index}: z.string(), status: z.enum(['a${service}', 'b${index}']) })`
  switch (index % 5) {
    case 0:
      return `op${index}: get('/s${service}/r${index}/{id}', { input: z.object({ id: z.uuid() }), output: ${order}, errors: { gone_${index}: problem(404) }, access: scopes('s:read') })`
    case 1:
      return `op${index}: post('/s${service}/r${index}', { input: z.object({ lines: z.array(Line), note: z.string().optional() }), output: ${order}, errors: { empty: problem(409), out: problem(409, z.object({ sku: z.string() })) }, access: signedIn(), idempotent: 'key' })`
    case 2:
      return `op${index}: put('/s${service}/r${index}/{id}/{sku}', { input: z.object({ id: z.uuid(), sku: z.string(), quantity: z.int() }), access: signedIn() })`
    case 3:
      return `op${index}: get('/s${service}/r${index}', { input: z.object({ query: z.string().optional(), ...pageInput() }), output: page(${order}), access: anyone() })`
    default:
      return `op${index}: command({ input: ${order}.pick({ id: true, status: true }), idempotent: 'natural' })`
  }
}

function handler(service: number, index: number): string {
  const next = `call.next.op${index}`
  switch (index % 5) {
    case 0:
      return `impl.handler('op${index}', async ({ input, call, fail }) => { const r = await ${next}({ id: input.id }); return r.lines.length > 9 ? fail('gone_${index}') : { ...r, status: 'a${service}' as const } })`
    case 1:
      return `impl.handler('op${index}', async ({ input, call, fail, key }) => { const r = await ${next}.try({ lines: input.lines }, { key: key ?? '' }); return r.ok ? { ...r.value, status: 'a${service}' as const } : fail('out', { sku: r.error.code }) })`
    case 2:
      return `impl.handler('op${index}', async ({ input, call }) => { await ${next}({ id: input.id, sku: input.sku, quantity: input.quantity + 1 }) })`
    case 3:
      return `impl.handler('op${index}', async ({ input, call }) => { const r = await ${next}({ limit: input.limit }); return { items: r.items.map((item) => ({ ...item, status: 'a${service}' as const })), next: r.next } })`
    default:
      return `impl.handler('op${index}', async ({ input, call }) => { await ${next}({ id: input.id, status: 'b${index}' }) })`
  }
}

function contractFile(service: number): string {
  const operations = Array.from({ length: operationsEach }, (_, index) => `    ${operation(service, index)},`)
  return `import { anyone, command, contract, event, get, page, pageInput, post, problem, put, scopes, signedIn } from 'trestle/contract'
import { z } from 'zod'
const Money = z.object({ amount: z.int(), currency: z.enum(['EUR', 'USD']) })
const Line = z.object({ sku: z.string(), quantity: z.int().min(1), price: Money })
export const s${service} = contract('s${service}', {
  version: '1.0.0',
  operations: {
${operations.join('\n')}
  },
  events: { placed: event(z.object({ id: z.uuid(), total: Money }), { key: 'id' }) },
})
`
}

function serviceFile(service: number): string {
  const next = (service + 1) % services
  const handlers = Array.from({ length: operationsEach }, (_, index) => `  op${index}: ${handler(service, index)},`)
  return `import { implement } from 'trestle/service'
import { s${service} } from './contract${service}.ts'
import { s${next} } from './contract${next}.ts'
const impl = implement(s${service}, { uses: { next: s${next} } })
export default impl.service({ handlers: {
${handlers.join('\n')}
} })
`
}

async function writeConfig(folder: string): Promise<void> {
  await mkdir(folder)
  const zod = dirname(createRequire(import.meta.url).resolve('zod/package.json'))
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      paths: { zod: [join(zod, 'index.d.ts')], 'trestle/*': [join(source, '*/index.ts')] },
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['*.ts'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
}

async function writeSystem(folder: string): Promise<string> {
  let all = ''
  for (let service = 0; service < services; service += 1) {
    const [contract, implementation] = [contractFile(service), serviceFile(service)]
    all += contract + implementation
    await writeFile(join(folder, `contract${service}.ts`), contract)
    await writeFile(join(folder, `service${service}.ts`), implementation)
  }
  return all
}

interface Checked {
  readonly errors: readonly string[]
  readonly instantiations: number
}

async function check(folder: string): Promise<Checked> {
  const { stdout } = await run(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics']).catch(
    (error: Error & { stdout?: string }) => ({ stdout: error.stdout ?? `error TS: ${error.message}` }),
  )
  return {
    errors: stdout.split('\n').filter((line) => line.includes('error TS')),
    instantiations: Number(/Instantiations:\s+(\d+)/.exec(stdout)?.[1]),
  }
}

describe('the types of a system of 150 operations', () => {
  it('check, and cost no more than their budget', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trestle-types-'))
    try {
      const [base, whole] = [join(folder, 'base'), join(folder, 'whole')]
      await Promise.all([base, whole].map(writeConfig))
      await writeFile(join(base, 'nothing.ts'), "import 'trestle/contract'\nimport 'trestle/service'\n")
      const written = await writeSystem(whole)
      expect(written.match(/ op\d+: (?:get|post|put|command)\(/g)).toHaveLength(services * operationsEach)
      expect(written.match(/impl\.handler\(/g)).toHaveLength(services * operationsEach)
      const [nothing, system] = await Promise.all([check(base), check(whole)])
      expect(system.errors.slice(0, 3)).toEqual([])
      const cost = system.instantiations - nothing.instantiations
      expect(cost).toBeLessThan(instantiationsMax)
      // Files that were not looked at cost nothing.
      expect(cost).toBeGreaterThan(instantiationsMax / 4)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
