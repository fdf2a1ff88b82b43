import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

const folder = new URL('./docs/decisions/', import.meta.url)
const read = (file: string) => readFile(new URL(file, folder), 'utf8')

it('the index of the decisions names every page with its number and title, in order', async () => {
  const files = (await readdir(folder)).filter((file) => file !== 'README.md').toSorted()
  const pages = await Promise.all(
    files.map(async (file) => {
      const [, number, title] = /^# (\d{4}) (.+)$/m.exec(await read(file)) ?? []
      return { number, file, title }
    }),
  )
  const rows = [...(await read('README.md')).matchAll(/^\| \[(\d{4})\]\(([^)]+)\) +\| (.+?) +\|$/gm)]
  expect(pages.length).toBeGreaterThan(30)
  expect(rows.map(([, number, file, title]) => ({ number, file, title }))).toEqual(pages)
  expect(new Set(pages.map(({ number }) => number)).size).toBe(pages.length)
  expect(pages.every(({ number, file }) => number !== undefined && file.startsWith(`${number}-`))).toBe(true)
})
