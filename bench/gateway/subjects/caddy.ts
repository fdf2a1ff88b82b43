import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromDebian } from '../debian.ts'
import { freePort, get, type Ground, startGateway, type Subject } from '../subject.ts'

const key = 'k_0123456789abcdefghijklmnopqrstuv'

/** Without plugins it has no rate limit: keys by a matcher, and an access log. */
function configuration(port: number, { upstreamPort, dir }: Ground, featured: boolean): string {
  const features = `
  log {
    output file ${dir}/access.log
  }
  @nobody not header X-Api-Key ${key}
  respond @nobody 401`
  return `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1${featured ? features : ''}
  reverse_proxy 127.0.0.1:${upstreamPort} {
    header_up -X-Api-Key
  }
}
`
}

function subject(featured: boolean): Subject {
  return {
    gateway: 'caddy',
    features: featured ? 'key + log (it has no limit)' : 'bare',
    async start(ground) {
      const program = fromDebian(['caddy'], 'usr/bin/caddy')
      const port = await freePort()
      const file = join(ground.dir, 'Caddyfile')
      await writeFile(file, configuration(port, ground, featured))
      const env = { ...program.env, HOME: ground.dir, GOMAXPROCS: '1' }
      const args = ['run', '--config', file, '--adapter', 'caddyfile']
      const running = await startGateway(program.path, args, { port, env })
      return { ...running, port, requests: [get('/items/1', featured ? { 'X-Api-Key': key } : {})] }
    },
  }
}

export const caddy: readonly Subject[] = [subject(false), subject(true)]
