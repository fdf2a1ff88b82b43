/** Who may ask. Said for every operation that is exposed; enforced by the gateway and again by the callee. */
export type Access =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'signed-in' }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }

/** Anyone may ask, also without a credential. */
export function anyone(): Access {
  return { kind: 'anyone' }
}

/** Any authenticated caller may ask. */
export function signedIn(): Access {
  return { kind: 'signed-in' }
}

/** A caller who has all of these scopes may ask. */
export function scopes(...names: [string, ...string[]]): Access {
  return { kind: 'scopes', scopes: names }
}
