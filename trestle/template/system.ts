import { expose, gateway } from 'trestle/gateway'
import { oneProcess, processPerService, run, system } from 'trestle/system'
import { greetings } from './greetings/contract.ts'

export default system('__NAME__', {
  services: [run(greetings, () => import('./greetings/service.ts'))],
  gateway: gateway({ routes: [expose(greetings)] }),
  topologies: { merged: oneProcess(), split: processPerService() },
})
