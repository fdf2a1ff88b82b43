import type { AccessDb } from '../implementation.ts'

/** How long a secret that was rotated out is still told from one that never was, milliseconds. */
const keptMs = 30 * 86_400_000

/** Forgets secrets that were rotated out long ago. Keys themselves stay: usage names them. */
export async function forgetSecrets(db: AccessDb, nowMs: number): Promise<void> {
  await db
    .deleteFrom('api_key_secrets')
    .where('expires_at', '<', new Date(nowMs - keptMs))
    .execute()
}
