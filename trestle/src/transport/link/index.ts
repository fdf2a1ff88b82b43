export { connectLink, type LinkTransport } from './connect-link.ts'

export { type LinkLimits } from './limits.ts'
export { type LinkServer, listenLink } from './listen-link.ts'
