const triesMax = 20

/** Asks until the answer is one that the contract declares: a machine that is too busy to say is asked again. */
export async function known<R extends { ok: true } | { ok: false; error: { declared: boolean } }>(
  ask: () => Promise<R>,
): Promise<R> {
  for (let tries = 1; ; tries++) {
    const result = await ask()
    if (result.ok || result.error.declared || tries === triesMax) return result
  }
}
