export type { ChildExit, ChildSpec, RunningChild, SupervisorEvent } from './child-spec.ts'
export type { RestartLimits } from './restart-budget.ts'

export { createSupervisor, type Supervisor } from './supervisor.ts'
