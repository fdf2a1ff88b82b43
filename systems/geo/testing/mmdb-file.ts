/** What a record of a test's database may hold. */
export type RecordFields = Readonly<Record<string, string | number>>

const types = { text: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const
const recordBytes = 3

/**
 * Writes a MaxMind DB, as small as tests need it: networks that do not overlap, each with a flat record.
 * Source: the MaxMind DB file format specification, version 2.0.
 * @example mmdbFile(4, { '8.8.8.0/24': { country_code: 'US' } })
 */
export function mmdbFile(version: 4 | 6, networks: Readonly<Record<string, RecordFields>>): Buffer {
  const data: Buffer[] = []
  const leaves: [node: number, side: 0 | 1, offset: number][] = []
  const nodes: [number | undefined, number | undefined][] = [[undefined, undefined]]
  let offset = 0
  for (const [network, fields] of Object.entries(networks)) {
    const record = mapOf(Object.entries(fields).map(([name, value]) => [name, valueOf(value)]))
    const bits = bitsOf(network, version)
    let node = 0
    for (const bit of bits.slice(0, -1)) {
      const next = nodes[node]?.[bit] ?? nodes.push([undefined, undefined]) - 1
      ;(nodes[node] as [number?, number?])[bit] = next
      node = next
    }
    leaves.push([node, bits.at(-1) as 0 | 1, offset])
    data.push(record)
    offset += record.length
  }
  const tree = nodes.map(([left, right]) => [left ?? nodes.length, right ?? nodes.length] as [number, number])
  for (const [node, side, at] of leaves) (tree[node] as [number, number])[side] = nodes.length + 16 + at
  return Buffer.concat([
    ...tree.flat().map((value) => unsigned(value, recordBytes)),
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    metadata(version, nodes.length),
  ])
}

function metadata(version: 4 | 6, nodeCount: number): Buffer {
  return mapOf([
    ['binary_format_major_version', field(types.uint16, unsigned(2, 2))],
    ['binary_format_minor_version', field(types.uint16, Buffer.alloc(0))],
    ['build_epoch', field(types.uint64, unsigned(1_780_000_000, 8))],
    ['database_type', valueOf('test')],
    ['description', mapOf([])],
    ['ip_version', field(types.uint16, unsigned(version, 2))],
    ['languages', control(types.array, 0)],
    ['node_count', field(types.uint32, unsigned(nodeCount, 4))],
    ['record_size', field(types.uint16, unsigned(recordBytes * 8, 2))],
  ])
}

function valueOf(value: string | number): Buffer {
  if (typeof value === 'string') return field(types.text, Buffer.from(value))
  if (Number.isInteger(value) && value >= 0) return field(types.uint32, unsigned(value, 4))
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return field(types.double, bytes)
}

function mapOf(entries: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat([
    control(types.map, entries.length),
    ...entries.flatMap(([name, value]) => [field(types.text, Buffer.from(name)), value]),
  ])
}

function field(type: number, payload: Buffer): Buffer {
  return Buffer.concat([control(type, payload.length), payload])
}

function control(type: number, size: number): Buffer {
  const small = Math.min(size, 29)
  const first = type < 8 ? [(type << 5) | small] : [small, type - 7]
  return Buffer.from(size < 29 ? first : [...first, size - 29])
}

function unsigned(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt(value))
  return buffer.subarray(8 - bytes)
}

/** The leading bits of a network. */
function bitsOf(network: string, version: 4 | 6): (0 | 1)[] {
  const [address = '', length = ''] = network.split('/')
  const list = version === 4 ? ipv4Bytes(address) : ipv6Bytes(address)
  const bits = list.flatMap((byte) => Array.from({ length: 8 }, (_, at) => ((byte >> (7 - at)) & 1) as 0 | 1))
  return bits.slice(0, Number(length))
}

function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number)
}

function ipv6Bytes(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...middle, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

function groupsOf(text: string): string[] {
  return text.split(':').filter(Boolean)
}
