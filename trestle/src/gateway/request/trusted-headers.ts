import { BlockList, isIP } from 'node:net'
import { headersFrom } from '../../http/header-list.ts'
import type { Headers, HttpRequest } from '../../http/message.ts'

/** Meant for one hop only. Source: RFC 9110, section 7.6.1. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Ours between processes, and what frameworks behind gateways believe blindly: no client may say these. */
const internal = /^(?:trestle-|x-trestle-)/
const forwarding =
  /^(?:forwarded$|x-forwarded-|x-forwarded$|x-real-ip$|x-original-|x-rewrite-url$|true-client-ip$|x-client-ip$|x-cluster-client-ip$)/
const forwardedMax = 32

/** Who may say where a request came from. */
export interface TrustedProxies {
  has(address: string): boolean
}

/**
 * Reads addresses and networks. @throws TypeError for one that is neither
 * @example trustedProxies(['10.0.0.0/8', '::1']).has('10.1.2.3') // true
 */
export function trustedProxies(networks: readonly string[]): TrustedProxies {
  const list = new BlockList()
  for (const network of networks) addNetwork(list, network)
  if (networks.length === 0) return { has: () => false }
  return {
    has(address) {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', bits] = network.split('/')
  const version = isIP(address)
  const longest = version === 4 ? 32 : 128
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (version === 0 || !(prefix >= 0 && prefix <= longest)) {
    throw new TypeError(`gateway: ${JSON.stringify(network)} is no address and no network like 10.0.0.0/8`)
  }
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
}

/** What the gateway knows of where a request came from, and the headers that go with it. */
export interface Origin {
  /** The client's address: the peer's, or what trusted proxies say. */
  readonly clientAddress: string
  /** Without hop-by-hop, internal, ambiguous and, unless the peer is trusted, forwarding fields; those rebuilt. */
  readonly headers: Headers
}

export function originOf(request: HttpRequest, trusted: TrustedProxies): Origin {
  const peer = request.remoteAddress
  const trustsPeer = trusted.has(peer)
  const { headers } = request
  const named = connectionNames(headers)
  const kept: string[] = []
  headers.forEach((name, value) => {
    if (!isDropped(name) && named?.has(name) !== true) kept.push(name, value)
  })
  const chain = trustsPeer ? forwardedFor(headers) : []
  const clientAddress = clientOf(chain, peer, trusted)
  const proto = trustsPeer ? protoOf(headers.get('x-forwarded-proto')) : undefined
  kept.push('x-forwarded-for', chain.length === 0 ? peer : [...chain, peer].join(', '))
  kept.push('x-forwarded-proto', proto ?? (request.encrypted ? 'https' : 'http'))
  const host = (trustsPeer ? hostOf(headers.get('x-forwarded-host')) : undefined) ?? headers.get('host')
  if (host !== undefined) kept.push('x-forwarded-host', host)
  return { clientAddress, headers: headersFrom(kept) }
}

/** What was found of names: clients send few different ones, and who sends many is not remembered. */
const verdicts = new Map<string, boolean>()
const verdictsMax = 1_024

/** Whether a field of this name (in lower case) goes no further, whoever sends it. */
function isDropped(name: string): boolean {
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const dropped = hopByHop.has(name) || name.includes('_') || internal.test(name) || forwarding.test(name)
  if (verdicts.size < verdictsMax && name.length <= 64) verdicts.set(name, dropped)
  return dropped
}

/** Fields that `Connection` names end here. What the gateway adds is added afterwards, so it cannot be named away. */
function connectionNames(headers: Headers): ReadonlySet<string> | undefined {
  const value = headers.get('connection')
  if (value === undefined || value === 'keep-alive') return undefined
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()))
}

/** The addresses of `X-Forwarded-For`; none when one of them is no address. */
function forwardedFor(headers: Headers): readonly string[] {
  const chain = (headers.get('x-forwarded-for') ?? '').split(',').map((part) => part.trim())
  return chain.length <= forwardedMax && chain.every((part) => isIP(part) !== 0) ? chain : []
}

/** From the nearest hop outwards, the first address that is not a proxy of ours. */
function clientOf(chain: readonly string[], peer: string, trusted: TrustedProxies): string {
  return chain.findLast((address) => !trusted.has(address)) ?? chain[0] ?? peer
}

function protoOf(value: string | undefined): string | undefined {
  return value === 'http' || value === 'https' ? value : undefined
}

function hostOf(value: string | undefined): string | undefined {
  return value !== undefined && /^[A-Za-z0-9.:[\]-]{1,255}$/.test(value) ? value : undefined
}
