export { localBus, type LocalBus, type LocalBusOptions } from './local-bus.ts'
