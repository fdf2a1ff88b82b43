export { balanced } from './balanced.ts'
export { createRegistry, type WritableRegistry } from './create-registry.ts'
