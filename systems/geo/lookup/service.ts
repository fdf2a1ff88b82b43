import { implement } from 'trestle/service'
import { planOf } from '../plans.ts'
import { readAddress } from './address.ts'
import { lookup } from './contract.ts'
import { chooseFields, pick } from './fields.ts'
import { liveData } from './live-data.ts'
import { locate } from './locate.ts'

const impl = implement(lookup, {})
const data = liveData()

const find = impl.handler('find', ({ input, caller, fail }) => {
  const chosen = chooseFields(input.fields, planOf(caller))
  if (!chosen.ok) return fail(chosen.code, { field: chosen.field })
  const asked = input.ip_address ?? input.client_address ?? ''
  const address = readAddress(asked)
  if (address.kind === 'invalid') return fail('ip_invalid', { ip_address: asked })
  if (address.kind !== 'public') return fail(`ip_${address.kind}`, nowhere(address))
  return pick(locate(data.current(), address), chosen.fields)
})

const at = impl.handler('at', ({ input, caller, fail }) => {
  const chosen = chooseFields(input.fields, planOf(caller))
  if (!chosen.ok) return fail(chosen.code, { field: chosen.field })
  const address = readAddress(input.ip)
  if (address.kind === 'invalid') return fail('ip_invalid', { ip_address: input.ip })
  if (address.kind !== 'public') return fail(`ip_${address.kind}`, nowhere(address))
  return pick(locate(data.current(), address), chosen.fields)
})

const batch = impl.handler('batch', ({ input, caller, fail }) => {
  const chosen = chooseFields(input.fields, planOf(caller))
  if (!chosen.ok) return fail(chosen.code, { field: chosen.field })
  const release = data.current()
  const items = input.ip_addresses.map((text) => {
    const address = readAddress(text)
    if (address.kind === 'public') return pick(locate(release, address), chosen.fields)
    const code = `ip_${address.kind}` as const
    const title = lookup.operations.find.errors[code].summary ?? code
    return { ip_address: text, error: { code, title, network: address.kind === 'invalid' ? null : address.network } }
  })
  return { data_version: release.version, items }
})

export default impl.service({
  handlers: { find, at, batch },
  async start({ log }) {
    await data.refresh()
    log.info({ data: data.current().version }, 'read the geolocation data')
  },
  jobs: [
    impl.every('10 seconds', 'refresh-data', async ({ log }) => {
      const version = await data.refresh()
      if (version !== undefined) log.info({ data: version }, 'answering from another release of the data')
    }),
  ],
})

function nowhere({ text, network, purpose }: { text: string; network: string; purpose: string }) {
  return { ip_address: text, network, purpose }
}
