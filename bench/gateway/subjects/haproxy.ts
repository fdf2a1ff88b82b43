import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromDebian } from '../debian.ts'
import { freePort, get, type Ground, startGateway, type Subject } from '../subject.ts'

const key = 'k_0123456789abcdefghijklmnopqrstuv'

/** Its nearest features: keys in a map, a stick table that counts requests per key, a log line per request. */
function configuration(port: number, { upstreamPort, dir }: Ground, featured: boolean): string {
  const features = `
  http-request set-var(req.owner) req.hdr(X-Api-Key),map(${dir}/keys.map)
  http-request deny deny_status 401 unless { var(req.owner) -m found }
  stick-table type string len 64 size 100k expire 60s store http_req_rate(60s)
  http-request track-sc0 req.hdr(X-Api-Key)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 10000000 }
  http-request del-header X-Api-Key
  option httplog
  log ${dir}/log.sock format raw local0`
  return `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  option forwardfor
  timeout connect 1s
  timeout client 60s
  timeout server 60s
frontend edge
  bind 127.0.0.1:${port}${featured ? features : ''}
  default_backend upstream
backend upstream
  http-reuse always
  server one 127.0.0.1:${upstreamPort}
`
}

function subject(featured: boolean): Subject {
  return {
    gateway: 'haproxy',
    features: featured ? 'key + limit + log' : 'bare',
    async start(ground) {
      const program = fromDebian(
        ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
        'usr/sbin/haproxy',
      )
      const port = await freePort()
      const file = join(ground.dir, 'haproxy.cfg')
      // Its log goes to standard output, as in a container.
      const text = configuration(port, ground, featured).replace(`${ground.dir}/log.sock`, 'stdout')
      await writeFile(file, text)
      await writeFile(join(ground.dir, 'keys.map'), `${key} alice\n`)
      const running = await startGateway(program.path, ['-db', '-f', file], { port, env: program.env })
      return { ...running, port, requests: [get('/items/1', featured ? { 'X-Api-Key': key } : {})] }
    },
  }
}

export const haproxy: readonly Subject[] = [subject(false), subject(true)]
