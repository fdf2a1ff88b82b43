export { connectAdmin } from './connect-admin.ts'

export { startAdmin } from './start-admin.ts'
