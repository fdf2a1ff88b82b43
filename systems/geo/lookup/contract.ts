import { clientAddressHeader, contract, get, post, problem, scopes } from 'trestle/contract'
import { z } from 'zod'

const text = z.string().nullable().optional()
const number = z.number().nullable().optional()

/** Where an address is. `null`: the data does not say. A field that was not asked for, or is not in the plan, is absent. */
export const Location = z
  .object({
    ip_address: z.string().describe('In its canonical form; of an IPv4-mapped address the IPv4 address'),
    city: text,
    city_geoname_id: number,
    region: text,
    region_iso_code: text,
    region_geoname_id: number,
    postal_code: text,
    country: text,
    country_code: text.describe('ISO 3166-1, two letters'),
    continent: text,
    latitude: number,
    longitude: number,
    timezone: text,
    asn: z.int().nullable().optional().describe('Number of the autonomous system'),
    organisation: text.describe('Whom the autonomous system belongs to'),
    data_version: z.string().describe('Of the databases, all of one release, that this answer was made from'),
  })
  .meta({ id: 'Location' })

/** Addresses in one batch; a batch counts as so many look-ups, however many it holds. */
export const batchMax = 100

const IpAddress = z.string().max(100)
const fields = z
  .string()
  .max(500)
  .optional()
  .describe('Names of fields, separated by commas: `country,asn`. Default: all of the plan')
const Refusal = z.object({
  code: z.enum(['ip_invalid', 'ip_private', 'ip_reserved']),
  title: z.string(),
  network: z.string().nullable(),
})

const nowhere = z.object({ ip_address: z.string(), network: z.string(), purpose: z.string() })
const fieldErrors = {
  field_unknown: problem(400, z.object({ field: z.string() }), 'There is no such field'),
  field_not_in_plan: problem(403, z.object({ field: z.string() }), 'The plan of this key does not have that field'),
}
const errors = {
  ip_invalid: problem(400, z.object({ ip_address: z.string() }), 'This is no IP address'),
  ip_private: problem(422, nowhere, 'The address is in private use: it is in no one place'),
  ip_reserved: problem(422, nowhere, 'The address is reserved: nobody has it'),
  ...fieldErrors,
}
const access = scopes('lookup')
const example = { ip_address: '81.2.69.142', fields: 'city,country' }
const found = { ip_address: '81.2.69.142', city: 'London', country: 'United Kingdom', data_version: '2026-06' }

export const lookup = contract('lookup', {
  version: '1.0.0',
  owner: 'geo',
  summary: 'Where an IP address is.',
  description:
    'IPv4 and IPv6. The free plan answers to the country: ip_address, country, country_code, continent and data_version; the other fields are absent. IP geolocation by DB-IP (https://db-ip.com); autonomous systems of RouteViews (https://www.routeviews.org), DB-IP and the NRO (https://www.nro.net); CC BY 4.0.',
  operations: {
    find: get('/v1/', {
      summary: "Look up an address, or one's own",
      description: 'Without `ip_address` it is the address that the request came from.',
      input: z.object({ ip_address: IpAddress.optional(), fields, client_address: z.string().max(100).optional() }),
      headers: { client_address: clientAddressHeader },
      output: Location,
      errors,
      access,
      examples: [{ input: example, output: found }],
    }),
    at: get('/v1/{ip}', {
      summary: 'Look up an address',
      input: z.object({ ip: IpAddress, fields }),
      output: Location,
      errors,
      access,
      examples: [{ input: { ip: '81.2.69.142', fields: 'city,country' }, output: found }],
    }),
    batch: post('/v1/batch', {
      summary: 'Look up many addresses',
      description: `In the order of the question, all from one version of the data; what cannot be looked up has an \`error\` in its place. Premium; counts as ${batchMax} look-ups.`,
      input: z.object({ ip_addresses: z.array(IpAddress).min(1).max(batchMax), fields }),
      output: z.object({
        data_version: z.string(),
        items: z.array(z.union([Location, z.object({ ip_address: z.string(), error: Refusal })])),
      }),
      errors: fieldErrors,
      access,
      idempotent: 'natural',
    }),
  },
})
