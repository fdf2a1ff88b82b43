import { connect, type Socket } from 'node:net'
import { join } from 'node:path'

/** Where the keeper of a home listens; only this user can enter the folder. */
export function socketOf(home: string): string {
  return join(home, 'private', 'keeper.sock')
}

/** A connection to the keeper; `undefined`: there is none. */
export function dialKeeper(home: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketOf(home))
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', () => resolve(undefined))
  })
}
