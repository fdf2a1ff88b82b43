interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** The package's manifest as it is published: the same, with exports that point at compiled code and its types. */
export function publishedManifest(source: unknown): Manifest {
  const manifest = source as Manifest
  const exports = Object.fromEntries(
    Object.entries(manifest.exports).map(([name, target]) => [name, publishedTarget(target)]),
  )
  return { ...manifest, files: ['bin', 'lib', 'template', 'gateway.schema.json', 'CHANGELOG.md'], exports } as never
}

function publishedTarget(target: string): string | { readonly types: string; readonly default: string } {
  const module = /^\.\/src\/(.+)\.ts$/.exec(target)?.[1]
  return module === undefined ? target : { types: `./lib/${module}.d.ts`, default: `./lib/${module}.js` }
}
