export { feedContractId } from './feed-contract.ts'
export { localBus, type LocalBus, type LocalBusOptions } from './local-bus.ts'
