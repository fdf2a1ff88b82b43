import { dirname, resolve } from 'node:path'
import { startAdmin } from '../admin/index.ts'
import type { GatewayReport, RouteReport } from '../call/gateway-report.ts'
import { startSystem, type RunningSystem } from '../system/index.ts'
import { gatewayReloader } from './gateway-reloader.ts'
import { type GatewaySystem, loadGatewaySystem, refusedBy, shownPath } from './gateway-system.ts'
import type { CliIo } from './io.ts'
import { keepRunning } from './keep-running.ts'
import { startProgress } from './progress.ts'
import { refuseSecondStart } from './running-system.ts'
import { readSettings, type Settings } from './settings.ts'
import { routesTable, upstreamsTable } from './gateway-tables.ts'
import { watchFiles } from './watch-files.ts'

/** Runs the gateway of a file alone until a signal ends it; SIGHUP and changes of its files put a new version to work. */
export async function runGateway(io: CliIo, path: string, options: { readonly json: boolean }): Promise<void> {
  const file = resolve(io.cwd, path)
  const shown = shownPath(io.cwd, file)
  const settings = readSettings(io.env, io.cwd, dirname(file))
  const first = loadGatewaySystem(file, io.env, io.cwd)
  const dataDir = dataDirFor(settings, first)
  await refuseSecondStart(dataDir)
  const say = (text: string) => (options.json ? io.err(text) : io.out(text))
  const reloader = gatewayReloader({
    first: first.config,
    shown,
    load: () => loadGatewaySystem(file, io.env, io.cwd).config,
    done: (what, tookMs) =>
      say(`${io.colors.green('reloaded')} ${shown} in ${(tookMs / 1_000).toFixed(2)} s: ${what}\n`),
    failed: (why) => io.err(`${io.colors.red('not reloaded')} ${shown}, what ran before goes on:\n${why}\n`),
    note: (text) => io.err(`${io.colors.yellow('note')}: ${text}\n`),
    now: io.now,
  })
  await keepRunning(io, {
    name: first.config.name,
    quiet: options.json,
    start: (signal) =>
      start(io, first, settings, dataDir, signal).catch((error: unknown) => refusedBy(error, shown, first.config)),
    onHangUp: () => void reloader.reload(),
    whileRunning(running) {
      reloader.attach((spec) => running.replaceGateway(spec))
      return watchFiles(() => reloader.files(), {
        changed: () => reloader.reloadChanged(),
        failed: (why) =>
          io.err(`${io.colors.yellow('note')}: changes are not seen (${why}); SIGHUP puts them to work\n`),
      })
    },
    async announce(running, tookMs) {
      const [report] = await running.operator.gateways()
      if (options.json) io.out(`${JSON.stringify({ ...(await running.describe()), ...report }, undefined, 2)}\n`)
      else io.out(await startTable(running, report, tookMs, io))
    },
  })
}

/** The environment goes before the file, the file before the defaults. */
function dataDirFor({ dataDir }: Settings, { config }: GatewaySystem): string {
  return dataDir.from === 'environment' ? dataDir.value : (config.dataDir ?? dataDir.value)
}

async function start(
  io: CliIo,
  { system, config }: GatewaySystem,
  { gatewayPort, adminPort, logLevel, postgresUrl }: Settings,
  dataDir: string,
  signal: AbortSignal,
): Promise<RunningSystem> {
  const { listen } = config
  const progress = startProgress(io)
  progress.step('starting')
  const url = postgresUrl.value ?? config.postgresUrl
  try {
    return await startSystem({
      system,
      dataDir,
      ...(listen.host === undefined ? {} : { gatewayHost: listen.host }),
      gatewayPort: gatewayPort.from === 'environment' ? gatewayPort.value : (listen.port ?? gatewayPort.value),
      adminPort: adminPort.from === 'environment' ? adminPort.value : (listen.adminPort ?? adminPort.value),
      logLevel: logLevel.value,
      env: { ...io.env, ...(url === undefined ? {} : { TRESTLE_POSTGRES_URL: url }) },
      admin: startAdmin,
      progress: (service, message) => progress.step(`${service}: ${message}`),
      signal,
    })
  } finally {
    progress.stop()
  }
}

/** Longer lists are for `trestle routes`. */
const routesShownMax = 20

async function startTable(
  running: RunningSystem,
  report: GatewayReport | undefined,
  tookMs: number,
  io: CliIo,
): Promise<string> {
  const { bold, cyan, dim } = io.colors
  const what = await running.describe()
  const { routes, clusters } = report ?? { routes: [], clusters: [] }
  const more = routes.length - routesShownMax
  const facts: readonly (readonly [string, string])[] = [
    ['Gateway', cyan(what.gatewayUrl)],
    ...(what.adminUrl === undefined
      ? []
      : [['Admin', `${cyan(what.adminUrl)}  ${dim(adminNote(what.stores !== undefined))}`] as const]),
    ...(what.stores === undefined ? [] : [['Database', what.stores] as const]),
    ['Try', bold(tryRoute(routes, what.gatewayUrl))],
    ['Reload', 'save the file, or SIGHUP'],
    ['Stop', 'Ctrl-C'],
  ]
  return [
    `${bold(what.system)} runs alone, started in ${(tookMs / 1_000).toFixed(1)} s\n\n`,
    routesTable(routes.slice(0, routesShownMax)),
    more > 0 ? `and ${more} more: trestle routes\n` : '',
    clusters.length === 0 ? '' : `\n${upstreamsTable(clusters, io, Date.now())}`,
    '\n',
    ...facts.map(([name, value]) => `${name.padEnd(11)}${value}\n`),
    '\n',
  ].join('')
}

function adminNote(hasKeys: boolean): string {
  return `for trestle routes, upstreams${hasKeys ? ', keys, plans, usage' : ''}`
}

/** Nothing is asked: a server behind a gateway of somebody else is not ours to try. */
export function tryRoute(routes: readonly RouteReport[], gatewayUrl: string): string {
  const plain = routes.filter(
    ({ method, path, hosts }) => /^(?:GET|\*)$/.test(method) && !path.includes('{') && hosts.length === 0,
  )
  const open = plain.find(({ access }) => access === 'anyone') ?? plain[0]
  return `curl -i '${gatewayUrl}${open?.path.replace(/\*$/, '') ?? '/openapi.json'}'`
}
