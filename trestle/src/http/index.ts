export { createHttpClient } from './client.ts'
export { headersFrom } from './header-list.ts'
export * from './message.ts'
export { serve } from './serve.ts'
