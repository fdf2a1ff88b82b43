import { keepCompiledCode } from '../std/compile-cache.ts'

keepCompiledCode()
const [{ runCli }, { processIo }] = await Promise.all([import('./run-cli.ts'), import('./io.ts')])
process.exitCode = await runCli(process.argv.slice(2), processIo())
