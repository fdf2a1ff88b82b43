export {
  type DevelopmentClient,
  type DevelopmentIssuer,
  developmentIssuer,
  type DevelopmentIssuerOptions,
  type DevelopmentUser,
} from '../gateway/development-issuer/development-issuer.ts'
export { local, type Runner, type RunOptions, runners, split, wire } from './runner.ts'
export { type AskJson, type JsonAnswer, jsonClient, type JsonQuestion } from './json-client.ts'
export type { TestRequest, TestSystem } from './test-system.ts'
export { type VirtualClock, virtualClock } from './virtual-clock.ts'
export {
  type Asker,
  type LogLine,
  type ServiceHarness,
  type ServiceHarnessOptions,
  serviceHarness,
} from './service-harness.ts'
export { type StartedServices, startServices, type StartServicesOptions } from './start-services.ts'
export { type CommandPlace, CommandProcess } from './command/command-process.ts'
export { freePorts } from './command/free-ports.ts'
export { type RunningCommand, startCommand, type StartCommandOptions } from './command/start-command.ts'
export { type FaultControl, faultControl } from './faults/fault-control.ts'
export type { Arm, Gate } from './faults/control.ts'
export type { Fired } from './faults/in-process/crash-watcher.ts'
export { type FaultProxy, faultProxy, type ProxyFault, type ProxyRule } from './faults/fault-proxy.ts'
export type { RequestHead } from './faults/request-heads.ts'
export { changedSource, type SourceChange } from './faults/source-change.ts'
export {
  type Finding,
  type Invariant,
  type InvariantReport,
  type InvariantResult,
  look,
  type Violation,
} from './invariants/invariant.ts'
export { checkInvariants, type CheckOptions } from './invariants/check-invariants.ts'
export { runChecker, type RunningChecker, startChecker } from './invariants/checker-process.ts'
export type { AskOptions, Attempt, Question } from './load/ask-until-known.ts'
export {
  type LoggedOperation,
  type OperationLog,
  operationLog,
  type OperationRecord,
  type OutcomeKind,
  readOperationLog,
} from './load/operation-log.ts'
export { type LoadOperation, type LoadOptions, type LoadReport, runLoad, type Visit } from './load/run-load.ts'
export { type SeededDraws, seededDraws } from './load/seeded-draws.ts'
export { zipf } from './load/zipf.ts'
export { type CrashPoint, crashPoints } from '../std/crash-points.ts'
