/** Work over several services that is done as a whole or taken back: `trestle/saga`. */
export { saga, type SagaOptions } from './define-saga.ts'
export type {
  Cancelled,
  Failure,
  PivotStep,
  Results,
  Saga,
  SagaUses,
  Step,
  StepArgs,
  StepOptions,
  UndoArgs,
  WriteArgs,
} from './saga.ts'
