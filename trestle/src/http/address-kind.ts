import { isIPv4 } from 'node:net'

/**
 * Where an address leads. `private`: this machine or a private network. `forbidden`: nobody has a service there that a
 * URL should name: link-local (cloud metadata), unspecified, multicast, documentation, tunnels to other addresses.
 */
export type AddressKind = 'public' | 'private' | 'forbidden'

/**
 * The first network that contains an address decides. IPv4 stands for itself and for IPv4-mapped IPv6.
 * Source: the special-purpose address registries of IANA (RFC 6890) and the metadata addresses of the large clouds.
 */
const networks: readonly (readonly [network: string, kind: AddressKind])[] = [
  ['0.0.0.0/8', 'forbidden'],
  ['10.0.0.0/8', 'private'],
  // Metadata of one cloud, inside the range that carriers share.
  ['100.100.100.200/32', 'forbidden'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'private'],
  // The platform's own services of one cloud, at a public address.
  ['168.63.129.16/32', 'forbidden'],
  ['169.254.0.0/16', 'forbidden'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'forbidden'],
  ['192.0.2.0/24', 'forbidden'],
  ['192.88.99.0/24', 'forbidden'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'private'],
  ['198.51.100.0/24', 'forbidden'],
  ['203.0.113.0/24', 'forbidden'],
  ['224.0.0.0/3', 'forbidden'],
  ['0.0.0.0/0', 'public'],
  ['::1/128', 'private'],
  ['fd00:ec2::254/128', 'forbidden'],
  ['fd20:ce::254/128', 'forbidden'],
  ['fc00::/7', 'private'],
  ['2001::/23', 'forbidden'],
  ['2001:db8::/32', 'forbidden'],
  ['2002::/16', 'forbidden'],
  ['3fff::/20', 'forbidden'],
  ['2000::/3', 'public'],
]

interface Network {
  readonly groups: readonly number[]
  readonly bits: number
  readonly kind: AddressKind
}

const table: readonly Network[] = networks.map(([network, kind]) => {
  const [address = '', bits = ''] = network.split('/')
  const offset = address.includes('.') ? 96 : 0
  return { groups: groupsOf(address) ?? [], bits: Number(bits) + offset, kind }
})

/** IPv4 behind the translators of IPv6-only networks. Source: RFC 6052. */
const translated = { groups: groupsOf('64:ff9b::') ?? [], bits: 96 }

/**
 * Says where an address leads; what is no address, or has a zone, is forbidden.
 * @example addressKind('::ffff:169.254.169.254') // 'forbidden'
 */
export function addressKind(address: string): AddressKind {
  const groups = groupsOf(address)
  if (groups === undefined) return 'forbidden'
  const plain = contains(translated, groups) ? [0, 0, 0, 0, 0, 0xffff, ...groups.slice(6)] : groups
  return table.find((network) => contains(network, plain))?.kind ?? 'forbidden'
}

function contains({ groups, bits }: Pick<Network, 'groups' | 'bits'>, address: readonly number[]): boolean {
  return groups.every((group, at) => {
    const taken = Math.min(16, Math.max(0, bits - at * 16))
    const shift = 16 - taken
    return group >> shift === (address[at] as number) >> shift
  })
}

/** The eight groups of an IPv6 address; of an IPv4 address those of its mapped form. */
function groupsOf(address: string): readonly number[] | undefined {
  const text = isIPv4(address) ? `::ffff:${address}` : address
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(':')) return undefined
  const url = URL.parse(`http://[${text}]/`)
  if (url === null) return undefined
  // The URL parser writes every form of an address in one: lower-case groups, the longest run of zeros as `::`.
  const [head = '', tail] = url.hostname.slice(1, -1).split('::')
  const before = parts(head)
  const after = tail === undefined ? [] : parts(tail)
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

function parts(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
