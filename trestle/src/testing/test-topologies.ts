import { oneProcess, processPerService, type Topology } from '../system/index.ts'

/** Where the runners place a system, whatever its own topologies say. */
export const testTopologies: Readonly<
  Record<'one-process' | 'process-per-service', (replicas: Readonly<Record<string, number>>) => Topology>
> = {
  'one-process': () => oneProcess(),
  'process-per-service': (replicas) => processPerService({ replicas }),
}
