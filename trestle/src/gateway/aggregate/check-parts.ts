import type { z } from 'zod'
import { bytesContentTypes } from '../../contract/bytes.ts'
import { type AnyPart, labelOf } from './part.ts'

interface Named {
  readonly name: string
  readonly part: AnyPart
}

type Fail = (what: string) => TypeError

/**
 * Checks the parts of an aggregate, and puts each after those that it reads.
 * @throws TypeError
 */
export function checkParts(parts: Readonly<Record<string, unknown>>, fail: Fail): readonly Named[] {
  const named = Object.entries(parts).map(([name, part]) => ({ name, part: part as AnyPart }))
  if (named.length === 0) throw fail('it has no parts')
  const names = new Map<AnyPart, string>()
  for (const { name, part } of named) {
    checkPartName(name, fail)
    checkOperation(name, part, fail)
    const other = names.get(part)
    if (other !== undefined) throw fail(`${other} and ${name} are the same part; write it twice to ask twice`)
    names.set(part, name)
  }
  for (const { name, part } of named) {
    const lost = part.reads.find((read) => !names.has(read))
    if (lost !== undefined) {
      throw fail(
        `${name} reads a part that calls ${labelOf(lost.operation)} and is not in the aggregate; ` +
          'where it is there as optional(...), read what optional gave',
      )
    }
  }
  return inOrder(named, names, fail)
}

/** @throws TypeError for what cannot be the name of a field of the reply */
export function checkPartName(name: string, fail: Fail): void {
  if (name === 'partial') throw fail('no part can be called partial: there the reply says which parts are missing')
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) throw fail(`${JSON.stringify(name)} is no name of a part: myCart`)
}

function checkOperation(name: string, { operation }: AnyPart, fail: Fail): void {
  const is = `${name} calls ${labelOf(operation)}, which`
  if (operation.access === undefined) {
    throw fail(`${is} does not say who may ask; give it access: anyone(), signedIn() or scopes(...)`)
  }
  const output = operation.output as z.ZodType | undefined
  if (output === undefined || operation.responses !== undefined || bytesContentTypes(output) !== undefined) {
    throw fail(`${is} has no one JSON reply to put into another`)
  }
  if (operation.idempotent !== 'natural') {
    throw fail(`${is} may have a second effect when it is repeated; an aggregate only reads (idempotent: 'natural')`)
  }
}

/** Depth first; a part that is met again while what it reads is still open reads itself in the end. */
function inOrder(named: readonly Named[], names: ReadonlyMap<AnyPart, string>, fail: Fail): readonly Named[] {
  const done = new Map<AnyPart, Named>()
  const open: AnyPart[] = []
  const visit = (part: AnyPart): void => {
    if (done.has(part)) return
    const name = names.get(part) as string
    if (open.includes(part)) {
      const circle = [...open.slice(open.indexOf(part)), part].map((one) => names.get(one)).join(' reads ')
      throw fail(`the parts read each other in a circle: ${circle}`)
    }
    open.push(part)
    for (const read of part.reads) visit(read)
    open.pop()
    done.set(part, { name, part })
  }
  for (const { part } of named) visit(part)
  return [...done.values()]
}
