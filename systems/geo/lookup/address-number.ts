import type { PublicAddress } from './address.ts'

/** An address as a number: of IPv4 up to 2³² - 1, of IPv6, as a bigint, up to 2¹²⁸ - 1. */
export function addressNumber({ text, version }: PublicAddress): number | bigint {
  return version === 4 ? ipv4Number(text) : ipv6Number(text)
}

function ipv4Number(text: string): number {
  return text.split('.').reduce((number, byte) => number * 256 + Number(byte), 0)
}

function ipv6Number(text: string): bigint {
  const [head = '', tail = ''] = text.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail)
  const zeros = '0000'.repeat(8 - before.length - after.length)
  return BigInt(`0x${before.join('')}${zeros}${after.join('')}`)
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').map((group) => group.padStart(4, '0'))
}
