const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/**
 * What stands for a network address where it is counted: an IPv4 address itself, of an IPv6 address its first 64 bits,
 * which is the least that one customer has. Source: RFC 6177, RFC 4291 section 2.5.
 * @example addressKey('2001:db8:1:2::7') // '2001:db8:1:2'
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const ipv4 = mapped.exec(address)?.[1]
  if (ipv4 !== undefined) return ipv4
  const [head = '', tail] = (address.split('%')[0] as string).toLowerCase().split('::')
  const first = groupsOf(head)
  // An IPv4 tail stands for two groups.
  const last = tail === undefined ? [] : groupsOf(tail)
  const lastCount = last.length + (tail?.includes('.') === true ? 1 : 0)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - lastCount)
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last]
  return groups.slice(0, 4).map(withoutLeadingZeros).join(':')
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':')
}

function withoutLeadingZeros(group: string): string {
  return group.replace(/^0+(?=.)/, '')
}
