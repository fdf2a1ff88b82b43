import { configureGlobal } from 'fast-check'

// Properties see the same cases in every run; another seed is a way to look for more.
configureGlobal({ seed: Number(process.env['TRESTLE_TEST_SEED'] ?? 20_261_121) })
