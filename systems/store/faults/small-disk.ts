import { execFile } from 'node:child_process'
import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sizeMegabytes = 420
const pieceBytes = 4 << 20

/** A disk that a test can fill. */
export interface SmallDisk {
  /** Why there is none: mounting needs rights. */
  readonly missing: string | undefined
  /** Until nothing more goes in. */
  fill(): Promise<void>
  /** Makes room again. */
  clear(): Promise<void>
}

/**
 * Puts a file system of its own under a folder, with what `content` holds. It is memory, so that nothing else fills up with
 * it. Where that may not be, the folder stays as it is.
 */
export async function smallDisk(folder: string, content: string, opened: AsyncDisposableStack): Promise<SmallDisk> {
  const filler = join(folder, 'filler')
  let missing: string | undefined
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMegabytes}m,mode=0755`, 'tmpfs', folder])
    opened.defer(async () => void (await run('umount', ['-l', folder])))
    await run('cp', ['-a', `${content}/.`, folder])
  } catch (error) {
    missing = `no file system could be mounted: ${error instanceof Error ? error.message.trim() : String(error)}`
  }
  return {
    missing,
    async fill() {
      const piece = new Uint8Array(pieceBytes)
      for (let bytes = piece; bytes.length > 0; ) {
        // What no longer goes in as a whole goes in in parts.
        await appendFile(filler, bytes).catch(() => {
          bytes = bytes.subarray(0, Math.floor(bytes.length / 2))
        })
      }
    },
    clear: () => rm(filler, { force: true }),
  }
}
