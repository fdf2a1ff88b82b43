/**
 * `node trestle-main.ts PORT UPSTREAM FEATURES`: ours with the features that are named. Its data lie in the current
 * folder, where `ready.json` tells which headers a request needs.
 */
import { writeFileSync } from 'node:fs'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { startSystem } from 'trestle/system'

const [port, upstream = '', list = ''] = process.argv.slice(2)
const features = list.split(',')
process.env['BENCH_UPSTREAM'] = upstream
process.env['BENCH_FEATURES'] = list

const headers: Record<string, string> = {}
if (features.includes('jwt')) headers['Authorization'] = `Bearer ${await token()}`
if (features.includes('cors')) headers['Origin'] = 'https://shop.example'
const running = await startSystem({
  systemUrl: new URL('./trestle-system.ts', import.meta.url),
  gatewayPort: Number(port),
  dataDir: process.cwd(),
  logLevel: features.includes('log') ? 'info' : 'warn',
})
if (features.includes('key')) headers['X-Api-Key'] = await apiKey()
writeFileSync('ready.json', JSON.stringify({ headers }))
process.once('SIGTERM', () => void running.stop().then(() => process.exit(0)))

async function token(): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  writeFileSync('jwks.json', JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }))
  return await new SignJWT({ scope: 'items:read' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('https://id.example')
    .setAudience('bench')
    .setSubject('alice')
    .setExpirationTime('2h')
    .sign(privateKey)
}

async function apiKey(): Promise<string> {
  const input = { name: 'bench', owner: 'alice', ...(features.includes('quota') ? { plan: 'premium' } : {}) }
  const reply = await running.operator.call({ contract: 'gateway-access', operation: 'createKey', input })
  if (!reply.ok || reply.body.kind !== 'value') throw new Error(`no key: ${JSON.stringify(reply)}`)
  return (reply.body.value as { readonly secret: string }).secret
}
