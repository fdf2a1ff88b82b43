import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  /** Numbers read better from the right. */
  readonly align?: 'left' | 'right'
}

/** Rows under titles, as wide as their widest cell; a cell may hold colours. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => visibleLength(row[index] ?? ''))),
  )
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => padded(cells[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join('   ')
      .trimEnd()
  return [columns.map(({ title }) => title), ...rows].map((cells) => `${line(cells)}\n`).join('')
}

function padded(cell: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - visibleLength(cell)))
  return align === 'left' ? cell + space : space + cell
}

function visibleLength(cell: string): number {
  return stripVTControlCharacters(cell).length
}
