import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { publicExports } from './undocumented.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const entries = Object.values(manifest.exports).filter((file) => file.endsWith('.ts'))

describe('the public interface', () => {
  it('has a doc comment on everything that it exports', () => {
    const all = entries.flatMap((entry) => publicExports(root, `${root}${entry}`))
    expect(entries.length).toBe(8)
    expect(all.length).toBeGreaterThan(100)
    const undocumented = all.filter(({ documented }) => !documented)
    expect(undocumented.map(({ file, name }) => `${file} ${name}`)).toEqual([])
  })
})
