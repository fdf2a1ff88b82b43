export { CallError, isCallError, type Retry } from '../call/call-error.ts'
export type { CallContext } from '../call/call-context.ts'
export { anonymous, type Caller } from '../call/caller.ts'
export type { CallFailure, CallOptions, Client, ClientOperation, Result } from '../call/client.ts'
export type { Problem } from '../call/problem.ts'
export type { Duration } from '../std/duration.ts'
export { type Calls, createCalls } from './calls.ts'
export { createServiceHandle, type ServiceHandle } from './create-service-handle.ts'
export type { Observation, ServiceDeps } from './deps.ts'
export {
  type Contracts,
  type HandlersOf,
  type Implementation,
  type ImplementOptions,
  implement,
  type ServiceSpec,
} from './implement.ts'
export type {
  BatchHandlerArgs,
  EffectArgs,
  EventHandlerArgs,
  SubscriptionOptions,
} from './subscriptions/event-handler.ts'
export type { EventMeta, SubscriptionDefinition } from '../store/inbox/subscription.ts'
export type { Job, JobArgs, JobOptions, JobResult, MissedTicks } from './jobs/job.ts'
export type { CronOptions, Schedule } from './jobs/schedule.ts'
export type { Committed, OnceStore } from './once/committed.ts'
export { type HandlerResult, reply, StatusReply } from './reply.ts'
export type {
  Fail,
  Handler,
  HandlerArgs,
  Log,
  ServiceDefinition,
  ServiceHooks,
  StartArgs,
  StoreOf,
  Uses,
} from './service.ts'
