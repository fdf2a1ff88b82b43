import { defineConfig, mergeConfig } from 'vitest/config'
import config from './vitest.config.ts'

// Arrays are joined when configurations are merged, so what differs is set afterwards.
const merged = mergeConfig(config, defineConfig({}))
merged.test = { ...merged.test, include: ['{trestle,systems}/**/*.servers.test.ts'], exclude: ['**/node_modules/**'] }

export default merged
