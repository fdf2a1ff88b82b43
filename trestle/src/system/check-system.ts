import { access } from '../gateway/index.ts'
import { accessName, gatewayName, operatorName, placementOf } from './placement.ts'
import type { System } from './system.ts'

const nameForm = /^[a-z][a-z0-9-]{0,39}$/
/** Names that mean something else to the platform. */
const reserved = new Set([gatewayName, operatorName, accessName, 'admin'])

/** @throws TypeError with the place and the remedy */
export function checkSystem(system: System): void {
  const fail = (what: string): never => {
    throw new TypeError(`system('${system.name}'): ${what}`)
  }
  if (!nameForm.test(system.name)) fail('its name must be lower case letters, digits and hyphens, at most 40')
  if (system.gateway === undefined) fail('it has no gateway; write gateway: gateway({ routes: [...] })')
  if (Object.keys(system.topologies).length === 0)
    fail('it has no topology; write topologies: { merged: oneProcess() }')
  if (system.bus !== 'embedded') fail(`there is no bus '${String(system.bus)}'; this version has one: 'embedded'`)
  checkNames(system, fail)
  checkBesides(system, fail)
  checkContracts(system, fail)
  for (const topology of Object.keys(system.topologies)) placementOf(system, topology)
}

function checkNames(system: System, fail: (what: string) => never): void {
  const seen = new Set<string>()
  const own = system.services.filter(({ contracts }) => !contracts.includes(access))
  for (const { name } of [...own, ...system.externals]) {
    if (!nameForm.test(name))
      fail(`the service name '${name}' must be lower case letters, digits and hyphens, at most 40`)
    if (reserved.has(name)) fail(`a service cannot be called '${name}': the platform uses that name`)
    if (seen.has(name)) fail(`there are two services '${name}'; give one another name: run(contract, load, { name })`)
    seen.add(name)
  }
}

function checkBesides({ beside }: System, fail: (what: string) => never): void {
  const variables = new Map<string, string>()
  for (const [name, { variable }] of Object.entries(beside)) {
    if (!nameForm.test(name))
      fail(`the name '${name}' of a system beside it must be lower case letters, digits and hyphens`)
    const other = variables.get(variable)
    if (other !== undefined) fail(`'${other}' and '${name}' beside it share the variable ${variable}`)
    variables.set(variable, name)
  }
}

function checkContracts(system: System, fail: (what: string) => never): void {
  const owner = new Map<string, string>()
  const placed = [
    ...system.services.flatMap((service) => service.contracts.map((contract) => ({ service: service.name, contract }))),
    ...system.externals.map((service) => ({ service: service.name, contract: service.contract })),
  ]
  for (const { service, contract } of placed) {
    const other = owner.get(contract.id)
    if (other !== undefined) {
      fail(`the contract ${contract.id} is implemented by '${other}' and by '${service}'; only one service may own it`)
    }
    owner.set(contract.id, service)
  }
}
