import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{trestle,systems,docs,bench}/**/*.test.ts', '*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'trestle/template/**', '**/*.servers.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    // Nets under tests that hang, not checks of speed: a busy machine takes several times as long as a quiet one.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // Of thousands, one is now and then too late on a machine that does three at once. What fails twice fails; here it fails at once.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
})
