/** A map without what is not there: options that are absent have their defaults. */
export function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<T>
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }
