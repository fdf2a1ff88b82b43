/**
 * Whether a `Host` header names this machine's loopback. A page of another origin that makes a browser resolve its own
 * name to 127.0.0.1 (DNS rebinding) sends that name.
 */
export function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return false
  return /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(host)
}
