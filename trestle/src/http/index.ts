export { headersFrom } from './header-list.ts'
export * from './message.ts'
export { serve } from './serve.ts'
