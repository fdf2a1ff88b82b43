const longestMs = 2 ** 31 - 1

/** Keeps the process alive until `work` is done: the clock's timers do not, and a server that is not ours neither. */
export async function keepingAlive<T>(work: () => Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, longestMs)
  try {
    return await work()
  } finally {
    clearInterval(hold)
  }
}
