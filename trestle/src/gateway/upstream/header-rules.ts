/** Fields that are set (instead of those that came) and removed. */
export interface HeaderRules {
  readonly set?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}

const name = /^[!#$%&'*+.^`|~0-9A-Za-z-]+$/
const value = /^[\t\x20-\x7e\x80-\xff]*$/
/** Where a message ends and who may say so is the engine's; where a request came from and who asks, the gateway's. */
const reserved =
  /^(?:connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|x-request-id|traceparent|forwarded|x-forwarded-.*|x-trestle-.*|trestle-.*)$/i

/** @throws TypeError for a name or a value that is none, so that no rule can ever break a header block */
export function checkHeaderRules(rules: HeaderRules | undefined, fail: (what: string) => TypeError): void {
  for (const field of [...Object.keys(rules?.set ?? {}), ...(rules?.remove ?? [])]) {
    if (!name.test(field)) throw fail(`${JSON.stringify(field)} is no header name`)
    if (reserved.test(field)) throw fail(`the header ${field} is the gateway's own and cannot be set or removed`)
  }
  for (const [field, text] of Object.entries(rules?.set ?? {})) {
    if (!value.test(text)) throw fail(`the value of the header ${field} has a character that is not allowed`)
  }
}

/** Rules as they are used: lower-case names that go, and fields that come. */
export interface OpenHeaderRules {
  readonly dropped: ReadonlySet<string>
  readonly added: readonly (readonly [name: string, value: string])[]
}

export function openHeaderRules({ set = {}, remove = [] }: HeaderRules): OpenHeaderRules {
  const names = [...remove, ...Object.keys(set)]
  return { dropped: new Set(names.map((field) => field.toLowerCase())), added: Object.entries(set) }
}
