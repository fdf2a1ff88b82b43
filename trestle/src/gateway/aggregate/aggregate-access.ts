import type { Access } from '../../contract/access.ts'
import type { NamedPart } from './aggregate.ts'

/** Who can be answered: whoever may ask the operation and each of its required parts. */
export function aggregateAccess(own: Access, parts: readonly Pick<NamedPart, 'part'>[]): Access {
  const required = parts.filter(({ part }) => part.required).map(({ part }) => part.operation.access as Access)
  return [own, ...required].reduce(both)
}

function both(a: Access, b: Access): Access {
  if (a.kind === 'anyone') return b
  if (b.kind === 'anyone') return a
  const scopes = [a, b].flatMap((one) => (one.kind === 'scopes' ? one.scopes : []))
  return scopes.length === 0 ? { kind: 'signed-in' } : { kind: 'scopes', scopes: [...new Set(scopes)] }
}
