export { balanced } from './balanced.ts'
export type { ClusterFeatures } from './cluster-options.ts'
export { createRegistry, type WritableRegistry } from './create-registry.ts'
