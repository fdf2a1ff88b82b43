import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, parse } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findSystem, tryFindSystem } from './find-system.ts'

let root = ''
const write = async (path: string, text = '') => {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trestle-find-'))
  await write('package.json', '{ "trestle": { "system": "systems/store" } }')
  await write('systems/store/system.ts')
  await write('systems/store/package.json', '{}')
  await write('systems/store/orders/service.ts')
  await write('plain/system.ts')
  await write('edge/gateway.yaml')
  await write('both/system.ts')
  await write('both/gateway.yaml')
  await write('lost/package.json', '{ "trestle": { "system": "gone.ts" } }')
  await write('broken/package.json', '{')
})

afterAll(() => rm(root, { recursive: true }))

describe('the system of a command', () => {
  it('is a gateway that stands alone, where its file is in the folder and no system; its data stand beside it', () => {
    const file = join(root, 'edge/gateway.yaml')
    expect(findSystem(join(root, 'edge'))).toEqual({ file, project: join(root, 'edge'), origin: './gateway.yaml' })
    expect(findSystem(root, 'edge/gateway.yaml')).toMatchObject({ file, project: join(root, 'edge') })
    expect(findSystem(root, 'edge')).toMatchObject({ file, project: join(root, 'edge') })
    expect(findSystem(root, 'both').file).toBe(join(root, 'both/system.ts'))
    expect(findSystem(join(root, 'both')).file).toBe(join(root, 'both/system.ts'))
  })

  it('is the file or the folder that is named', () => {
    const file = join(root, 'plain/system.ts')
    expect(findSystem(root, 'plain')).toEqual({ file, project: root, origin: 'argument' })
    expect(findSystem(root, 'plain/system.ts').file).toBe(file)
    expect(findSystem(join(root, 'plain'), '.').file).toBe(file)
  })

  it('is a folder of systems/ by its name alone', () => {
    expect(findSystem(root, 'store').file).toBe(join(root, 'systems/store/system.ts'))
  })

  it('is ./system.ts when nothing is named', () => {
    expect(findSystem(join(root, 'plain')).origin).toBe('./system.ts')
  })

  it('is what the nearest package.json with such a setting names, also from a folder below', () => {
    const expected = { file: join(root, 'systems/store/system.ts'), project: join(root, 'systems/store') }
    expect(findSystem(root)).toEqual({ ...expected, origin: 'package.json' })
    expect(findSystem(join(root, 'systems/store/orders'))).toEqual({ ...expected, origin: 'package.json' })
  })

  it('is asked for when there is none', () => {
    expect(() => findSystem(root, 'nothing')).toThrow('there is no system at nothing')
    expect(tryFindSystem(root, 'nothing')).toBeUndefined()
    expect(() => findSystem(parse(root).root)).toThrow('there is no system.ts and no gateway.yaml in')
  })

  it('is missed by name when package.json is wrong', () => {
    expect(() => findSystem(join(root, 'lost'))).toThrow('names the system gone.ts, which is not there')
    expect(() => findSystem(join(root, 'broken'))).toThrow('is not JSON')
  })
})
