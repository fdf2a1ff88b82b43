export { type AdminConnection, connectAdmin } from './connect-admin.ts'
export { adminContract } from './contract.ts'
export { type AdminListener, type AdminOptions, startAdmin } from './start-admin.ts'
