export {
  type DevelopmentClient,
  type DevelopmentIssuer,
  developmentIssuer,
  type DevelopmentIssuerOptions,
  type DevelopmentUser,
} from '../gateway/development-issuer/development-issuer.ts'
export { local, type Runner, type RunOptions, runners, split, wire } from './runner.ts'
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
