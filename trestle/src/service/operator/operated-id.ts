/**
 * Id of the platform's contract by which an operator works on the events, sagas and jobs of a service:
 * `orders.operated@1`. No contract of a user has a dot in its name.
 */
export function operatedId(service: string): string {
  return `${service}.operated@1`
}
