export { type BalancedOptions, balanced } from './balanced.ts'
export { createRegistry, type WritableRegistry } from './create-registry.ts'
export type { InstanceTransport } from './endpoint.ts'
