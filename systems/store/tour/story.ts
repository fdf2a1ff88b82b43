import { styleText } from 'node:util'
import type { JsonAnswer } from 'trestle/testing'

/** One promise of the product and what the tour saw of it. */
export interface Evidence {
  readonly promise: string
  readonly seen: string
  readonly kept: boolean
}

/** What the tour prints, and what it will be judged by. */
export interface Story {
  chapter(title: string): void
  say(text: string): void
  readonly told: (question: string, answer: JsonAnswer) => void
  evidence(promise: string, kept: boolean, seen: string): void
  /** Prints the table promise -> evidence; `false` when one was not kept or none was shown. */
  close(): boolean
}

const shownMax = 150

export function createStory(write: (text: string) => void = (text) => process.stdout.write(text)): Story {
  const all: Evidence[] = []
  let chapters = 0
  return {
    chapter(title) {
      chapters += 1
      write(`\n${styleText('bold', `${chapters}. ${title}`)}\n`)
    },
    say: (text) => write(`   ${text}\n`),
    told: (question, answer) => write(`   ${question}\n     ${mark(answer.status)} ${short(answer.body)}\n`),
    evidence(promise, kept, seen) {
      all.push({ promise, kept, seen })
      write(`   ${kept ? styleText('green', 'kept') : styleText('red', 'BROKEN')}: ${promise} (${seen})\n`)
    },
    close() {
      write(`\n${styleText('bold', 'Promise -> evidence')}\n`)
      const width = Math.max(0, ...all.map(({ promise }) => promise.length))
      for (const { promise, kept, seen } of all) {
        write(`  ${kept ? styleText('green', 'ok  ') : styleText('red', 'FAIL')} ${promise.padEnd(width)}  ${seen}\n`)
      }
      const broken = all.filter(({ kept }) => !kept).length
      write(`\n${all.length - broken} of ${all.length} promises kept\n`)
      return broken === 0 && all.length > 0
    },
  }
}

function mark(status: number): string {
  return styleText(status < 400 ? 'green' : 'yellow', String(status))
}

function short(body: unknown): string {
  const text = body === undefined ? '' : JSON.stringify(body)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
