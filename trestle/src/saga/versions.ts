import type { SagaSpec } from './define-saga.ts'

/** Every name and version whose instances these definitions can go on with; others are left to who knows them. */
export function versionsOf(specs: readonly SagaSpec[]): {
  readonly names: readonly string[]
  readonly versions: readonly number[]
} {
  const known = specs.flatMap(({ name, version, earlier, migrate }) =>
    [version, ...earlier.map((each) => each.version), ...Object.keys(migrate).map(Number)].map((each) => ({
      name,
      version: each,
    })),
  )
  return { names: known.map(({ name }) => name), versions: known.map(({ version }) => version) }
}

/** The definition under which an instance goes on: that of its version, or the one that it is migrated to. */
export function specFor(specs: readonly SagaSpec[], name: string, version: number): SagaSpec {
  const current = specs.find((each) => each.name === name)
  const spec = current?.earlier.find((each) => each.version === version) ?? current
  if (spec === undefined) throw new Error(`there is no saga ${name}`)
  return spec
}
