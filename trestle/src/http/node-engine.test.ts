import { httpConformance } from './http-conformance.ts'
import { createHttpClient, serve } from './index.ts'

httpConformance('over node:http and undici', { serve, createHttpClient })
