import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{trestle,systems,docs,bench}/**/*.test.ts', '*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'trestle/template/**', '**/*.servers.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
