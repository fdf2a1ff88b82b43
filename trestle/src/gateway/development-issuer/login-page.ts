import type { DevelopmentUser } from './development-issuer.ts'

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
}

export function htmlPage(title: string, body: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${body}`
}

/** One button for each user: who presses it is signed in as that one. */
export function loginPage(client: string, users: readonly DevelopmentUser[]): string {
  const buttons = users.map(({ id }) => `<p><button name="user" value="${escaped(id)}">${escaped(id)}</button></p>`)
  return htmlPage(`Sign in to ${client}`, `<form method="post">${buttons.join('')}</form>`)
}
