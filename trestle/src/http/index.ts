export { createHttpClient } from './client.ts'

export * from './message.ts'
export { serve } from './serve.ts'
