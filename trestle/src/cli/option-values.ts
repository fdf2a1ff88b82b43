import { InvalidArgumentError } from 'commander'
import { type Duration, durationMs } from '../std/duration.ts'

/** Reads a day or a moment, with its zone: as ISO 8601 in UTC. */
export function timeOption(text: string): string {
  const form = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/
  const at = form.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('Write 2027-01-31 or 2027-01-31T12:00:00Z.')
  return new Date(at).toISOString()
}

/** As `timeOption`, and not over already. */
export function futureOption(text: string): string {
  const at = timeOption(text)
  if (Date.parse(at) > Date.now()) return at
  throw new InvalidArgumentError('That is over already.')
}

/** Reads `2 hours` as milliseconds; `0` is none at all. */
export function durationOption(text: string): number {
  if (text === '0') return 0
  try {
    return durationMs(text as Duration)
  } catch {
    throw new InvalidArgumentError('Write "30 minutes", "2 hours", "1 day", or 0.')
  }
}

/** Makes what reads a whole number. */
export function wholeOption(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`)
  }
}

/** Makes what reads one of a few words. */
export function oneOfOption<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((one) => one === text)
    if (word === undefined) throw new InvalidArgumentError(`Write ${words.join(', ')}.`)
    return word
  }
}
