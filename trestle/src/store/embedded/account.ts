import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError } from '../store-error.ts'

/** The user that the server runs as. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** This process is root and the server is to be someone else. */
  readonly differs: boolean
}

/** PostgreSQL refuses root: these are asked for, in this order, when we are. */
const unprivileged = ['nobody', 'postgres', 'daemon']

/** @throws StoreError `embedded_unavailable` when there is no user that PostgreSQL accepts */
export function serverAccount(passwd: string = readPasswd()): Account | undefined {
  const uid = process.getuid?.()
  if (uid === undefined || process.platform !== 'linux') return undefined
  const users = parsePasswd(passwd)
  if (uid !== 0) {
    const self = users.find((user) => user.uid === uid)
    if (self !== undefined) return { ...self, differs: false }
    throw new StoreError(
      'embedded_unavailable',
      `User ${uid} is not in /etc/passwd, and PostgreSQL needs it to be. Add it, or name a server in TRESTLE_POSTGRES_URL`,
    )
  }
  for (const name of unprivileged) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid !== 0)
    if (user !== undefined) return { ...user, differs: true }
  }
  throw new StoreError(
    'embedded_unavailable',
    'PostgreSQL does not run as root, and /etc/passwd has no user nobody to run it. Start as an ordinary user',
  )
}

/** Exported for its test. */
export function parsePasswd(text: string): { readonly name: string; readonly uid: number; readonly gid: number }[] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch {
    return ''
  }
}

/** `directory`, or the first one above it, that `account` may not pass. */
export function firstBarrier(directory: string, account: Account): string | undefined {
  if (!may(directory, account, 0o1)) return directory
  const above = dirname(directory)
  return above === directory ? undefined : firstBarrier(above, account)
}

/** What keeps `account` from reading `file`: a directory on the way, or the file itself. */
export function barrierTo(file: string, account: Account): string | undefined {
  return firstBarrier(dirname(file), account) ?? (may(file, account, 0o4) ? undefined : file)
}

/** By owner, group and others, as the kernel decides; access lists are not looked at. */
function may(path: string, { uid, gid }: Account, bit: 0o1 | 0o4): boolean {
  const stat = statSync(path)
  if (stat.uid === uid) return (stat.mode & (bit << 6)) !== 0
  if (stat.gid === gid) return (stat.mode & (bit << 3)) !== 0
  return (stat.mode & bit) !== 0
}
