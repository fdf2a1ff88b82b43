export { type AdminConnection, connectAdmin } from './connect-admin.ts'

export { startAdmin } from './start-admin.ts'
