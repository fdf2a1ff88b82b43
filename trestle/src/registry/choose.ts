import type { Endpoint } from './endpoint.ts'

/**
 * Power of two choices: of two picked at random, the one with less to do. Endpoints that failed or drain are taken only
 * when there is no other.
 * Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996.
 * @param tried endpoints that have had this call already
 */
export function choose(
  endpoints: readonly Endpoint[],
  tried: readonly Endpoint[],
  random: () => number,
): Endpoint | undefined {
  if (endpoints.length === 1 && tried.length === 0) return endpoints[0]
  const untried = tried.length === 0 ? endpoints : endpoints.filter((endpoint) => !tried.includes(endpoint))
  const preferred = untried.filter((endpoint) => endpoint.isPreferred)
  return lessBusy(preferred.length > 0 ? preferred : untried, random)
}

function lessBusy(endpoints: readonly Endpoint[], random: () => number): Endpoint | undefined {
  if (endpoints.length < 2) return endpoints[0]
  const first = Math.floor(random() * endpoints.length)
  const step = 1 + Math.floor(random() * (endpoints.length - 1))
  const a = endpoints[first] as Endpoint
  const b = endpoints[(first + step) % endpoints.length] as Endpoint
  return b.inFlight < a.inFlight ? b : a
}
