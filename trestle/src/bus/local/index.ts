export { feedContractId } from './feed-contract.ts'
export { localBus, type LocalBus } from './local-bus.ts'
