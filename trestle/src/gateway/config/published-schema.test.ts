import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { knownKeys, publishedSchema } from './published-schema.ts'

const shipped = new URL('../../../gateway.schema.json', import.meta.url)
const validate = new Ajv({ strict: false, allErrors: true }).compile(publishedSchema())

function faultsOf(text: string): readonly string[] {
  return validate(parse(text)) ? [] : (validate.errors ?? []).map(({ instancePath }) => instancePath)
}

describe('the published schema of configuration files', () => {
  it('is the one that the package ships; npm run docs writes it', () => {
    expect(JSON.parse(readFileSync(shipped, 'utf8'))).toEqual(publishedSchema())
  })

  it('says of every field in the file what it means, in an editor', () => {
    const schema = publishedSchema()
    const route = schema.properties?.['routes']?.items?.properties ?? {}
    expect(Object.keys(route)).toEqual(expect.arrayContaining(['path', 'upstream', 'access', 'limits', 'cors']))
    expect(route['timeoutMs']).toMatchObject({ description: expect.stringContaining('30,000') })
  })

  it('knows what an editor offers at a place', () => {
    expect(knownKeys(publishedSchema(), ['routes', 0, 'limits', 3])).toContain('windowMs')
    expect(knownKeys(publishedSchema(), ['upstreams', 'anything', 'targets', 0])).toEqual(['url', 'weight'])
    expect(knownKeys(publishedSchema(), ['nothing'])).toEqual([])
  })

  it('takes the example, and what comes from outside in place of numbers and words', () => {
    const example = new URL('../../../../docs/examples/gateway.yaml', import.meta.url)
    expect(faultsOf(readFileSync(example, 'utf8'))).toEqual([])
    expect(
      faultsOf(`
listen: { port: "\${env:PORT}" }
counters: "\${env:COUNTERS}"
upstreams: { a: { targets: ["\${env:URL}"], retries: "\${file:/retries}", identity: "\${env:YES}" } }
routes: [{ path: "\${env:PATH}", upstream: a }]
`),
    ).toEqual([])
  })

  it('refuses what the program refuses', () => {
    expect(faultsOf('routes: []')).toEqual(['/routes'])
    expect(faultsOf('routes: [{ path: x, upstream: a, acess: anyone }]')).toEqual(expect.arrayContaining(['/routes/0']))
    expect(faultsOf('counters: shard\nroutes: [{ path: /, upstream: a }]')).toContain('/counters')
    expect(faultsOf('listen: { port: x }\nroutes: [{ path: /, upstream: a }]')).toContain('/listen/port')
  })
})
