export { localTransport } from './local-transport.ts'
