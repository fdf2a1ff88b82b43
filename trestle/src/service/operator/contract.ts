import { command, contract, query } from '../../contract/index.ts'
import { operatedId } from './operated-id.ts'
import { specs } from './operations.ts'

/** What an operator may see of, and do to, the events, sagas and jobs of a service; of one without a name yet. */
export const operated = contract('operated', {
  version: '1.0.0',
  owner: 'platform',
  summary: 'Events, sagas and jobs of one service, for its operator.',
  operations: {
    streams: query(specs.streams),
    subscriptions: query(specs.subscriptions),
    blocked: query(specs.blocked),
    redrive: command(specs.redrive),
    skip: command(specs.skip),
    replay: command(specs.replay),
    sagas: query(specs.sagas),
    saga: query(specs.saga),
    retrySaga: command(specs.retrySaga),
    cancelSaga: command(specs.cancelSaga),
    resolveSaga: command(specs.resolveSaga),
    jobs: query(specs.jobs),
    runJob: command(specs.runJob),
  },
})

/** The platform's contract of one service. */
export function operatedBy(service: string): typeof operated {
  const name = `${service}.${operated.name}`
  const ref = { name, id: operatedId(service), version: operated.version }
  const operations = Object.entries(operated.operations).map(([key, operation]) => [
    key,
    { ...operation, contract: ref },
  ])
  return { ...operated, ...ref, operations: Object.fromEntries(operations) } as unknown as typeof operated
}
