import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pointAtCompiled } from './build/compiled-paths.ts'
import { publishedManifest } from './build/published-manifest.ts'
import { runTool } from './check/run-tool.ts'

/**
 * Makes `trestle/dist`: the folder that is published. Compiled code with declarations, the program, a manifest whose
 * exports point at them, migrations, README and licence; no tests, no sources.
 */
export async function build(): Promise<{ readonly dist: string; readonly modules: number }> {
  const trestle = fileURLToPath(new URL('../', import.meta.url))
  const dist = join(trestle, 'dist')
  await rm(dist, { recursive: true, force: true })
  await mkdir(dist)
  const compiled = await runTool(
    'tsc',
    ['-p', join(trestle, 'tsconfig.build.json'), '--pretty', 'false'],
    join(trestle, '..'),
  )
  if (compiled.exitCode !== 0) throw new Error(`tsc could not compile the package:\n${compiled.output}`)
  const modules = await pointAtCompiled(join(dist, 'lib'))
  if (modules === 0) throw new Error('the compiler wrote no module: nothing to publish')
  await copyMigrations(join(trestle, 'src'), join(dist, 'lib'))
  const manifest: unknown = JSON.parse(await readFile(join(trestle, 'package.json'), 'utf8'))
  await writeFile(join(dist, 'package.json'), `${JSON.stringify(publishedManifest(manifest), undefined, 2)}\n`)
  for (const folder of ['bin', 'template']) await cp(join(trestle, folder), join(dist, folder), { recursive: true })
  await cp(join(trestle, 'gateway.schema.json'), join(dist, 'gateway.schema.json'))
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) await cp(join(trestle, '..', file), join(dist, file))
  return { dist, modules }
}

/** The platform's own services bring their databases' migrations along; the compiler knows nothing of them. */
async function copyMigrations(sources: string, lib: string): Promise<void> {
  const found = (await readdir(sources, { recursive: true })).filter((file) =>
    /[\\/]migrations[\\/][^\\/]+\.sql$/.test(file),
  )
  if (found.length === 0) throw new Error('there is no migration to publish: the access service has some')
  for (const file of found) await cp(join(sources, file), join(lib, file))
}

if (import.meta.main) {
  const { dist, modules } = await build()
  process.stdout.write(`${modules} modules in ${dist}\n`)
}
