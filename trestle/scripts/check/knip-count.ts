import type { Reporter } from 'knip'

/** Says how many files knip looked at: finding nothing among none is no result. */
const countReporter: Reporter = ({ counters }) => {
  process.stdout.write(`knip looked at ${counters.total} files\n`)
}

export default countReporter
