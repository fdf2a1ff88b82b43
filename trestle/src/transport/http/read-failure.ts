import { isPlatformCode } from '../../call/call-error.ts'
import { type Call, labelOf, type Reply } from '../../call/call.ts'
import type { Problem } from '../../call/problem.ts'
import type { CompiledOperation } from '../../contract/compiled.ts'
import type { InputFault } from '../../contract/input-fault.ts'
import { parseJsonBytes } from '../../contract/json-bytes.ts'
import { isJson } from '../../contract/media-type.ts'
import { type PlatformCode, platformErrors } from '../../contract/platform-errors.ts'
import type { Headers } from '../../http/message.ts'
import { failed } from './failed.ts'

/** What a status alone says. A foreign 5xx never promises that nothing was done. */
const codeOfStatus: Readonly<Record<number, PlatformCode>> = {
  400: 'invalid_input',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  410: 'gone',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  500: 'internal',
  501: 'not_implemented',
  502: 'outcome_unknown',
  503: 'outcome_unknown',
  504: 'deadline_exceeded',
}

const detailMaxChars = 1_000
const retryAfterMaxSeconds = 86_400

type Body = Readonly<Record<string, unknown>>

/** A status of 400 or more as the declared error or the platform problem that it stands for. */
export function readFailure(
  compiled: CompiledOperation,
  call: Call,
  status: number,
  headers: Headers,
  bytes: Uint8Array,
): Reply {
  const body = bodyOf(headers, bytes)
  const declared = declaredCode(compiled, status, body)
  if (declared !== undefined) return declaredReply(compiled, call, declared, body, retryAfterOf(headers))
  const extra = { ...textsOf(body), ...retryAfterOf(headers) }
  const { code } = body
  if (typeof code === 'string' && isPlatformCode(code) && platformErrors[code].status === status) {
    return failed(code, call, { ...extra, ...faultsOf(body) })
  }
  const known = codeOfStatus[status]
  if (known !== undefined) return failed(known, call, extra)
  const detail = `the service answered with status ${status}, which ${compiled.operation.name} does not declare`
  return failed(status >= 500 ? 'internal' : 'bad_reply', call, { ...extra, detail })
}

function bodyOf(headers: Headers, bytes: Uint8Array): Body {
  if (!isJson(headers.get('content-type'))) return {}
  const json = parseJsonBytes(bytes)
  const isObject = json.ok && typeof json.value === 'object' && json.value !== null && !Array.isArray(json.value)
  return isObject ? (json.value as Body) : {}
}

/**
 * The declared error that the body names. A service that knows no codes means the only declared error with that status,
 * if it needs no details.
 */
function declaredCode({ operation }: CompiledOperation, status: number, body: Body): string | undefined {
  const { code } = body
  if (typeof code === 'string') {
    const named = Object.hasOwn(operation.errors, code) && operation.errors[code]?.status === status
    return named ? code : undefined
  }
  const possible = Object.entries(operation.errors as CompiledOperation['operation']['errors']).filter(
    ([, error]) => (error as { status: number }).status === status,
  ) as [string, { readonly details: unknown }][]
  const [only] = possible
  return possible.length === 1 && only !== undefined && only[1].details === undefined ? only[0] : undefined
}

function declaredReply(
  compiled: CompiledOperation,
  call: Call,
  code: string,
  body: Body,
  wait: Pick<Problem, 'retryAfterMs'>,
): Reply {
  const parsed = compiled.parseDetails(code, body['details'])
  if (!parsed.ok) {
    return failed('bad_reply', call, { detail: `the details of ${code} do not match the contract` })
  }
  const spec = compiled.operation.errors[code] as { readonly status: number; readonly summary: string | undefined }
  const problem: Problem = {
    code,
    status: spec.status,
    title: spec.summary ?? titleOf(code),
    declared: true,
    instance: labelOf(call),
    traceId: call.trace.traceId,
    ...detailOf(body),
    ...(parsed.value === undefined ? {} : { details: parsed.value }),
    ...wait,
  }
  return { ok: false, problem }
}

function textsOf(body: Body): { detail?: string; instance?: string } {
  const { instance } = body
  return { ...detailOf(body), ...(typeof instance === 'string' && instance.length < 200 ? { instance } : {}) }
}

function detailOf({ detail }: Body): { detail?: string } {
  return typeof detail === 'string' ? { detail: detail.slice(0, detailMaxChars) } : {}
}

function faultsOf({ errors }: Body): { errors?: readonly InputFault[] } {
  if (!Array.isArray(errors)) return {}
  const faults = errors
    .filter((one): one is InputFault => typeof one?.pointer === 'string' && typeof one?.detail === 'string')
    .slice(0, 100)
    .map(({ pointer, detail }) => ({ pointer, detail }))
  return faults.length === 0 ? {} : { errors: faults }
}

function retryAfterOf(headers: Headers): { retryAfterMs?: number } {
  const text = headers.get('retry-after')
  if (text === undefined || !/^\d{1,9}$/.test(text)) return {}
  return { retryAfterMs: Math.min(Number(text), retryAfterMaxSeconds) * 1_000 }
}

/** `out_of_stock` -> `Out of stock` */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
