type Fields = Readonly<Record<string, unknown>>

/** What every line has, or what the short form says in words. */
const known = new Set(['level', 'time', 'pid', 'name', 'message', 'service', 'err'])

/**
 * One log line as a person reads it on a terminal: `12:00:01 gateway-1 GET /products 200 31 ms catalogue.list`. What is no
 * information only says so: `warn`, `error`. Control characters are shown, not obeyed.
 */
export function readableLine(json: string): string {
  const fields = JSON.parse(json) as Fields
  const level = fields['level'] === 'info' ? '' : `${String(fields['level'])} `
  return `${clockTime(fields['time'])} ${String(fields['name'])} ${level}${said(fields)}\n${stackOf(fields['err'])}`
}

function said(fields: Fields): string {
  if (fields['message'] === 'request') return requestText(fields)
  const rest = Object.entries(fields).filter(([key]) => !known.has(key))
  return visible([fields['message'], ...rest.map(([key, value]) => `${key}=${shown(value)}`)].join(' '))
}

function requestText({ method, path, status, durationMs, operation, code, traceId }: Fields): string {
  const why = code === undefined ? [] : [code]
  const trace = typeof status === 'number' && status >= 500 ? [`trace ${String(traceId)}`] : []
  const words: readonly unknown[] = [
    method,
    path ?? '-',
    status,
    `${Number(durationMs).toFixed(0)} ms`,
    operation ?? '',
    ...why,
    ...trace,
  ]
  return visible(words.filter((word) => word !== '').join(' '))
}

function shown(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)
}

function stackOf(err: unknown): string {
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? err.stack : undefined
  if (typeof stack !== 'string') return ''
  return stack
    .split('\n')
    .map((line) => `    ${visible(line)}\n`)
    .join('')
}

function clockTime(time: unknown): string {
  return new Date(Number(time)).toTimeString().slice(0, 8)
}

/** What comes from outside must not move the cursor or colour the terminal. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\u${(control.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}
