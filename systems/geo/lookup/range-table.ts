type Address = number | bigint
/** The address in a row. */
type Column = (row: number) => Address

/** How the addresses of one version of IP are checked, and kept in a column without gaps. */
interface Family {
  readonly check: (address: Address) => Address
  readonly columnOf: (addresses: readonly Address[]) => Column
}

const ipv4Max = 0xffff_ffff
const ipv6Max = (1n << 128n) - 1n
/** What is smaller is IPv4, in a file for IPv6. */
const ipv6Min = 1n << 32n

const families: Readonly<Record<4 | 6, Family>> = {
  4: {
    check(address) {
      if (address > ipv4Max) throw new Error(`holds ${address}, which is no IPv4 address`)
      return Number(address)
    },
    columnOf(addresses) {
      return ipv4Column(new Uint32Array(addresses as readonly number[]))
    },
  },
  6: {
    check(address) {
      if (address < ipv6Min || address > ipv6Max) throw new Error(`holds ${address}, which is no IPv6 address`)
      return BigInt(address)
    },
    columnOf(addresses) {
      const whole = addresses as readonly bigint[]
      // An element takes the 64 lower bits of what it is given.
      return ipv6Column(new BigUint64Array(whole.map((address) => address >> 64n)), new BigUint64Array(whole))
    },
  },
}

/** Ranges of addresses of one version of IP, one after the other. */
export interface RangeTable {
  /**
   * Adds a range; its last address is in it.
   * @throws Error when it neither begins nor ends after the range before: ranges may overlap, not hold each other
   */
  add(first: Address, last: Address): void
  /** Ends the adding. What is returned finds the last range with an address, by its place; -1: there is none. */
  close(): (address: Address) => number
}

/** Makes an empty table: in the end 8 bytes a range of IPv4, 32 of IPv6. */
export function rangeTable(version: 4 | 6): RangeTable {
  const { check, columnOf } = families[version]
  const firsts: Address[] = []
  const lasts: Address[] = []
  return {
    add(from, to) {
      const first = check(from)
      const last = check(to)
      if (first > last) throw new Error('ends before it begins')
      const before = firsts.length - 1
      if (before >= 0 && (first <= (firsts[before] as Address) || last <= (lasts[before] as Address))) {
        throw new Error('does not begin and end after the row before it')
      }
      firsts.push(first)
      lasts.push(last)
    },
    close: () => finder(firsts.length, columnOf(firsts), columnOf(lasts)),
  }
}

/** These are apart, so that what a table was made from is not kept with it. */
function ipv4Column(addresses: Uint32Array): Column {
  return (row) => addresses[row] as number
}

function ipv6Column(high: BigUint64Array, low: BigUint64Array): Column {
  return (row) => ((high[row] as bigint) << 64n) | (low[row] as bigint)
}

function finder(rows: number, firstOf: Column, lastOf: Column): (address: Address) => number {
  return (address) => {
    // Ends ascend too: what the last range that begins in time does not hold, none before it holds.
    const row = rowsUpTo(address, rows, firstOf) - 1
    return row >= 0 && address <= lastOf(row) ? row : -1
  }
}

/** How many ranges begin at an address or before it. */
function rowsUpTo(address: Address, rows: number, firstOf: Column): number {
  let low = 0
  let high = rows
  while (low < high) {
    const middle = (low + high) >>> 1
    if (firstOf(middle) > address) high = middle
    else low = middle + 1
  }
  return low
}
