/** @throws TypeError when an issuer, or an address of one, can be asked by nobody or by everybody on the way */
export function checkIssuerUrl(text: string, allowPrivateNetworks: boolean, fail: (what: string) => TypeError): void {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw fail(`${JSON.stringify(text)} is no https:// address`)
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw fail(`${url.origin} is given with a user or a fragment`)
  }
  if (url.protocol === 'http:' && !allowPrivateNetworks) {
    throw fail(`${text} is not https; allowPrivateNetworks: true allows http for an issuer on this computer`)
  }
}
