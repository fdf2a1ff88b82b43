/** What survives: a crash of the machine, or of the server alone. */
export type Durability = 'disk' | 'process'

/**
 * Settings of the embedded server: durable, and small when idle. They are given on the command line, so that a new
 * version of Trestle brings its own without touching files of the cluster.
 */
export function serverSettings(options: {
  readonly connectionsMax: number
  readonly durability: Durability
  readonly socketsDir: string | undefined
  readonly port: number
}): readonly string[] {
  const settings = {
    max_connections: options.connectionsMax,
    port: options.port,
    listen_addresses: options.socketsDir === undefined ? '127.0.0.1' : '',
    ...(options.socketsDir === undefined
      ? {}
      : { unix_socket_directories: options.socketsDir, unix_socket_permissions: '0700' }),
    ...(options.durability === 'disk'
      ? { fsync: 'on' }
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    shared_buffers: '32MB',
    max_wal_size: '512MB',
    // One machine, no standby: bulk loads into new tables then need no log.
    wal_level: 'minimal',
    max_wal_senders: 0,
    // Reads in the backends themselves: no worker processes that wait for nothing.
    io_method: 'sync',
    max_parallel_workers: 2,
    max_worker_processes: 4,
    autovacuum_max_workers: 2,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A violated constraint is the application's affair; what the server itself does is logged.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    // A statement whose client was killed ends too, where the system can tell.
    ...(process.platform === 'linux' ? { client_connection_check_interval: '10s' } : {}),
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
