/**
 * A field bound to this header is the address of the client as the gateway knows it: the peer's, or what trusted proxies
 * say. The gateway fills it in by itself, whatever a client sends under that name; the OpenAPI document does not show it.
 * Called without a gateway it is a field like any other, so it should be optional.
 * @example get('/whoami', { input: z.object({ address: z.string().optional() }), headers: { address: clientAddressHeader } })
 */
export const clientAddressHeader = 'trestle-client-address'
