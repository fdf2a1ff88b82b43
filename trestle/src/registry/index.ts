export { balanced } from './balanced.ts'
export { createRegistry, type WritableRegistry } from './create-registry.ts'
export { createCluster } from './create-cluster.ts'
export type { ClusterEvent, ClusterFeatures, ClusterOptions } from './cluster-options.ts'
