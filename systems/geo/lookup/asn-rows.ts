import { setImmediate } from 'node:timers/promises'

/** A range of addresses that one autonomous system has. */
export interface AsnRow {
  /** The first address as a number; a bigint when that has more than 15 digits. */
  readonly first: number | bigint
  /** The last one, which is in the range too. */
  readonly last: number | bigint
  /** In the list of systems that is returned. */
  readonly system: number
}

/** An autonomous system, and whom it belongs to, by the names that databases in the MMDB format use. */
export interface AsnRecord {
  readonly autonomous_system_number: number
  /** '': that is not said. */
  readonly autonomous_system_organization: string
}

/** Five times the longest that there is: what stands in a row stands in answers. */
const rowMaxBytes = 1_024
/** Eight times the ranges that are known today. */
const rowsMax = 4_000_000
/** A few milliseconds of work: look-ups go on meanwhile. */
const rowsAtOnce = 4_096
const asnMax = 0xffff_ffff
const digitsMax = 39
/** So many digits a number holds exactly. */
const exactDigits = 15

const lineEnd = 0x0a
const comma = 0x2c
const zero = 0x30

const plainForm = /^[^",]*$/
const quotedForm = /^"(?:[^"]|"")*"$/
const controlOrReplacement = /[\p{Cc}\ufffd]/u

/**
 * Reads a file of autonomous systems: a row per range, `first,last,number,organisation`; an organisation with a comma or a
 * quote is in quotes. No header, no empty row, no line end but LF.
 * @returns the systems that the rows name, each once
 * @throws Error with file and line when a row has another form, or `take` refuses it
 */
export async function readAsnRows(bytes: Buffer, path: string, take: (row: AsnRow) => void): Promise<AsnRecord[]> {
  const systems = systemsIn(bytes)
  let line = 0
  const readRow = (from: number, to: number) => {
    if (to === -1) throw new Error('is cut: it does not end')
    if (to - from > rowMaxBytes) throw new Error(`is longer than ${rowMaxBytes} bytes`)
    if (line > rowsMax) throw new Error(`is one too many: a file has at most ${rowsMax}`)
    const first = numberEnd(bytes, from)
    const last = numberEnd(bytes, first + 1)
    const number = numberEnd(bytes, last + 1)
    take({
      first: numberIn(bytes, from, first),
      last: numberIn(bytes, first + 1, last),
      system: systems.place(numberIn(bytes, last + 1, number), number + 1, to),
    })
  }
  for (let from = 0; from < bytes.length; ) {
    line++
    const to = bytes.indexOf(lineEnd, from)
    try {
      readRow(from, to)
    } catch (cause) {
      throw new Error(`${path}:${line}: the row ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
    from = to + 1
    if (line % rowsAtOnce === 0) await setImmediate()
  }
  return systems.list
}

/** Where the digits end that begin there and that a comma follows. */
function numberEnd(bytes: Buffer, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  const digits = at - from
  const hasLeadingZero = bytes[from] === zero && digits > 1
  if (digits === 0 || digits > digitsMax || hasLeadingZero || bytes[at] !== comma) {
    throw new Error('is not two addresses and a system, as numbers, and an organisation')
  }
  return at
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= zero + 9
}

function numberIn(bytes: Buffer, from: number, to: number): number | bigint {
  if (to - from > exactDigits) return BigInt(bytes.toString('latin1', from, to))
  let number = 0
  for (let at = from; at < to; at++) number = number * 10 + (bytes[at] as number) - zero
  return number
}

/** The systems that were read, each once: what is the same as in an earlier row is not read again. */
function systemsIn(bytes: Buffer) {
  const list: AsnRecord[] = []
  /** By number, the last that had it: its place, and where its organisation stands in the file. */
  const known = new Map<number | bigint, { place: number; from: number; to: number }>()
  return {
    list,
    place(number: number | bigint, from: number, to: number): number {
      const before = known.get(number)
      if (before !== undefined && bytes.compare(bytes, before.from, before.to, from, to) === 0) return before.place
      if (number < 1 || number > asnMax) throw new Error(`has the system ${number}, which there cannot be`)
      const organisation = organisationIn(bytes.toString('utf8', from, to))
      const record = { autonomous_system_number: Number(number), autonomous_system_organization: organisation }
      const place = list.push(record) - 1
      known.set(number, { place, from, to })
      return place
    },
  }
}

function organisationIn(text: string): string {
  if (controlOrReplacement.test(text)) throw new Error('has a control character, or is not UTF-8')
  if (plainForm.test(text)) return text
  if (!quotedForm.test(text)) throw new Error('has an organisation whose quotes are wrong')
  return text.slice(1, -1).replaceAll('""', '"')
}
