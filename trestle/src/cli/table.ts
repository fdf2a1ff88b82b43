import { stripVTControlCharacters } from 'node:util'
import { visible } from '../telemetry/readable-line.ts'

export interface Column {
  readonly title: string
  /** Numbers read better from the right. */
  readonly align?: 'left' | 'right'
}

/** Rows under titles, as wide as their widest cell; a cell may hold colours, and nothing else that a terminal obeys. */
export function textTable(columns: readonly Column[], cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(onOneLine))
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => visibleLength(row[index] ?? ''))),
  )
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, index) => padded(row[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join('   ')
      .trimEnd()
  return [columns.map(({ title }) => title), ...rows].map((row) => `${line(row)}\n`).join('')
}

function padded(cell: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - visibleLength(cell)))
  return align === 'left' ? cell + space : space + cell
}

/** Keys and reasons come from outside. */
function onOneLine(cell: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return cell.replace(/(\u001b\[[\d;]*m)|\p{Cc}/gu, (found, colour?: string) => colour ?? visible(found))
}

function visibleLength(cell: string): number {
  return stripVTControlCharacters(cell).length
}
