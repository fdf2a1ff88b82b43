import { expose, gateway } from 'trestle/gateway'
import { oneProcess, processPerService, run, system } from 'trestle/system'
import { bulk, consumer, lone, publisher } from './contracts.ts'

export default system('events-bench', {
  services: [
    run([publisher, bulk, lone], () => import('./publisher.ts')),
    run(consumer, () => import('./consumer.ts')),
  ],
  gateway: gateway({ routes: [expose(publisher)] }),
  topologies: { merged: oneProcess(), split: processPerService() },
})
