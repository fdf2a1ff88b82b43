import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The compiler turns `./x.ts` into `./x.js` in imports, but neither in declarations nor in
 * `new URL('./x.ts', import.meta.url)`, by which the platform names the entry of a child process.
 */
const relativeSource = /((?:\bfrom|\bimport)\s*\(?\s*|new URL\(\s*)(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/g

/** Makes the compiled modules of a folder refer to compiled modules; answers how many there are. */
export async function pointAtCompiled(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => /\.(js|d\.ts)$/.test(file))
  await Promise.all(
    files.map(async (file) => {
      const path = join(folder, file)
      const text = await readFile(path, 'utf8')
      const pointed = compiledPaths(text)
      if (pointed !== text) await writeFile(path, pointed)
    }),
  )
  return files.filter((file) => file.endsWith('.js')).length
}

/** `./x.ts` -> `./x.js` wherever one module names another. */
export function compiledPaths(text: string): string {
  return text.replace(relativeSource, '$1$2$3.js$2')
}
