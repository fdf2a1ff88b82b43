export type { ChildExit, ChildSpec, ChildState, ChildStatus, RunningChild, SupervisorEvent } from './child-spec.ts'
export type { RestartLimits } from './restart-budget.ts'
export type { SupervisionDeps } from './supervised-child.ts'
export { createSupervisor, type Supervisor } from './supervisor.ts'
