/** Where the payment system is: `PAYMENTS_URL`, else where `npm start` starts it. */
export function providerUrl(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['PAYMENTS_URL'] ?? 'http://127.0.0.1:4100'
}
