import { BlockList, isIP } from 'node:net'

/** An address that may be somewhere. */
export interface PublicAddress {
  readonly kind: 'public'
  /** In the one canonical form (RFC 5952); what was IPv4 in IPv6 is IPv4. */
  readonly text: string
  readonly version: 4 | 6
}

/** An address that is nowhere, or none at all. */
export type NoPlace =
  | { readonly kind: 'invalid' }
  | {
      readonly kind: 'private' | 'reserved'
      readonly text: string
      readonly network: string
      readonly purpose: string
    }

interface Special {
  readonly kind: 'private' | 'reserved'
  readonly network: string
  readonly purpose: string
}

const isPrivate = (network: string, purpose: string): Special => ({ kind: 'private', network, purpose })
const isReserved = (network: string, purpose: string): Special => ({ kind: 'reserved', network, purpose })

/** Sources: the IANA special-purpose registries of IPv4 and IPv6 (RFC 6890), RFC 4291 for what of IPv6 is unicast. */
const special: readonly Special[] = [
  isPrivate('10.0.0.0/8', 'private use'),
  isPrivate('172.16.0.0/12', 'private use'),
  isPrivate('192.168.0.0/16', 'private use'),
  isPrivate('100.64.0.0/10', 'shared by the customers of a provider'),
  isReserved('0.0.0.0/8', 'this network'),
  isReserved('127.0.0.0/8', 'this machine'),
  isReserved('169.254.0.0/16', 'one link'),
  isReserved('192.0.0.0/24', 'protocol assignments'),
  isReserved('192.0.2.0/24', 'documentation'),
  isReserved('192.88.99.0/24', 'formerly 6to4 relays'),
  isReserved('198.18.0.0/15', 'benchmarks'),
  isReserved('198.51.100.0/24', 'documentation'),
  isReserved('203.0.113.0/24', 'documentation'),
  isReserved('224.0.0.0/4', 'multicast'),
  isReserved('240.0.0.0/4', 'future use'),
  isPrivate('fc00::/7', 'private use'),
  isReserved('::1/128', 'this machine'),
  isReserved('::/128', 'no address'),
  isReserved('64:ff9b::/96', 'translation to IPv4'),
  isReserved('fe80::/10', 'one link'),
  isReserved('ff00::/8', 'multicast'),
  isReserved('2001:db8::/32', 'documentation'),
  isReserved('2001::/23', 'protocol assignments'),
  isReserved('3fff::/20', 'documentation'),
  // 2000::/3 is all that is given out; what is left of the rest is here.
  isReserved('::/3', 'not given out'),
  isReserved('4000::/2', 'not given out'),
  isReserved('8000::/1', 'not given out'),
]

const lists = special.map((one) => ({ ...one, list: listOf([one]) }))
// Apart: a list compares IPv4 addresses with networks of IPv6 too, as mapped ones.
const isIpv6 = ({ network }: Special) => network.includes(':')
const byFamily = {
  ipv4: { any: listOf(special.filter((one) => !isIpv6(one))), lists: lists.filter((one) => !isIpv6(one)) },
  ipv6: { any: listOf(special.filter(isIpv6)), lists: lists.filter(isIpv6) },
}

/** Reads an address, in any of its spellings but with no zone, and says whether it can be looked up. */
export function readAddress(text: string): PublicAddress | NoPlace {
  const version = text.includes('%') ? 0 : isIP(text)
  if (version === 0) return { kind: 'invalid' }
  const canonical = version === 6 ? shortest(text) : text
  const mapped = ipv4Within(canonical)
  const address = mapped ?? canonical
  const family = mapped === undefined && version === 6 ? 6 : 4
  const place = specialPlace(address, family === 6 ? 'ipv6' : 'ipv4')
  if (place === undefined) return { kind: 'public', text: address, version: family }
  const { kind, network, purpose } = place
  return { kind, text: address, network, purpose }
}

function specialPlace(address: string, family: 'ipv4' | 'ipv6'): Special | undefined {
  const { any, lists: all } = byFamily[family]
  return any.check(address, family) ? all.find(({ list }) => list.check(address, family)) : undefined
}

function listOf(networks: readonly Special[]): BlockList {
  const list = new BlockList()
  for (const { network } of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}

/** The form of RFC 5952, as the URL standard writes it. */
function shortest(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

/** The IPv4 address in an IPv4-mapped one. */
function ipv4Within(address: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)
  if (match === null) return undefined
  const [high = 0, low = 0] = [match[1], match[2]].map((group) => Number.parseInt(group ?? '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
