import type { Control } from '../control.ts'

/** Puts this process's wall clock off by as much as the driver says. Timers and durations stay as they are. */
export function shiftClock(current: () => Control): void {
  const Real = Date
  const realNow = Date.now
  const now = () => {
    const { offsetMs, byPid } = current().clock
    return realNow() + (byPid[process.pid] ?? offsetMs)
  }
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === globalThis.Date ? target : newTarget),
    apply: () => new Real(now()).toString(),
    get: (target, property) => (property === 'now' ? now : Reflect.get(target, property)),
  })
}
