export {
  type AuthenticateArgs,
  type Authenticator,
  type AuthenticatorSpec,
  type AuthenticatorUses,
  authenticator,
} from './authenticator.ts'
export type { PathAmbiguity } from './canonical-path.ts'
export {
  createGateway,
  type Gateway,
  type GatewayDeps,
  type GatewayInfo,
  type RouteDescription,
} from './create-gateway.ts'
export { expose, type ExposedOperation, type ExposeOptions, type ExposeSpec } from './expose.ts'
export { gateway, type GatewayOptions, type GatewaySpec, gatewayUses, type RouteSpec } from './gateway.ts'
export { metricsHandler } from './metrics-handler.ts'
export type { Page, Readiness, ServiceReadiness } from './pages.ts'
