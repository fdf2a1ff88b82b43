export { type Beside, beside, type BesideOptions } from './beside.ts'
export {
  type Environment,
  external,
  type ExternalService,
  run,
  type RunOptions,
  type RunService,
} from './placed-service.ts'
export type { RunningSystem, SystemDescription } from './running-system.ts'
export { StartError, type StartErrorCode } from './start-error.ts'
export { startSystem } from './start.ts'
export type { BesideDescription } from './start-beside.ts'
export type { AdminServer, StartOptions } from './start-system.ts'
export type { BusChoice } from './bus-needs.ts'
export { type System, type SystemSpec, system } from './system.ts'
export { groups, oneProcess, processPerService, type ReplicaOptions, type Topology } from './topology.ts'
