/** What may have been meant by a word that is not known: the known one that takes the fewest changes of a letter. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase()
  const ranked = known
    .map((each) => ({ each, changes: changesBetween(lower, each.toLowerCase()) }))
    .filter(({ each, changes }) => changes <= changesMax(Math.min(word.length, each.length)))
    .toSorted((a, b) => a.changes - b.changes)
  return ranked[0]?.each
}

/** Two letters that changed places are two changes. */
function changesMax(letters: number): number {
  return Math.max(1, Math.min(3, Math.floor(letters / 2)))
}

/** A sentence that says what was meant, or what there is. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  if (meant !== undefined) return `Did you mean ${meant}?`
  return known.length === 0 ? 'There is none' : `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`
}

/** Levenshtein distance, row by row; words longer than `lettersMax` are not compared. */
function changesBetween(a: string, b: string): number {
  if (a.length > lettersMax || b.length > lettersMax) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

const lettersMax = 64
