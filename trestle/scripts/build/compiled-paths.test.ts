import { describe, expect, it } from 'vitest'
import { compiledPaths } from './compiled-paths.ts'
import { publishedManifest } from './published-manifest.ts'

describe('compiled modules', () => {
  it.each([
    ["export type { T } from './b.ts';", "export type { T } from './b.js';"],
    ["let a: import('../x/b.ts').T;", "let a: import('../x/b.js').T;"],
    ['let a: import("./b.ts").T;', 'let a: import("./b.js").T;'],
    ["new URL('./child.ts', import.meta.url)", "new URL('./child.js', import.meta.url)"],
    ["import './side.ts';", "import './side.js';"],
  ])('refer to compiled modules: %s', (written, compiled) => {
    expect(compiledPaths(written)).toBe(compiled)
  })

  it.each(["import 'pkg/b.ts'", "const text = 'see ./b.ts'", "join(folder, 'system.ts')"])('keep %s', (text) => {
    expect(compiledPaths(text)).toBe(text)
  })
})

describe('the published manifest', () => {
  it('points exports at compiled code with its types', () => {
    const source = { name: 'x', exports: { './a': './src/a/index.ts', './package.json': './package.json' } }
    expect(publishedManifest(source).exports).toEqual({
      './a': { types: './lib/a/index.d.ts', default: './lib/a/index.js' },
      './package.json': './package.json',
    })
  })
})
