import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromDebian } from '../debian.ts'
import { freePort, get, type Ground, startGateway, type Subject } from '../subject.ts'

const key = 'k_0123456789abcdefghijklmnopqrstuv'

/** Its nearest features: keys in a map, `limit_req` per key, an access log. */
function configuration(port: number, { upstreamPort, dir }: Ground, featured: boolean): string {
  const outside = `
  map $http_x_api_key $owner { default ""; "${key}" alice; }
  limit_req_zone $http_x_api_key zone=keys:10m rate=1000000r/s;
  access_log ${dir}/access.log combined;`
  const inside = `
      if ($owner = "") { return 401; }
      limit_req zone=keys burst=1000 nodelay;
      proxy_set_header X-Api-Key "";`
  return `daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  client_body_temp_path ${dir}/tmp; proxy_temp_path ${dir}/tmp; fastcgi_temp_path ${dir}/tmp;
  uwsgi_temp_path ${dir}/tmp; scgi_temp_path ${dir}/tmp;
  keepalive_requests 1000000;${featured ? outside : '\n  access_log off;'}
  upstream one { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {${featured ? inside : ''}
      proxy_pass http://one;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`
}

function subject(featured: boolean): Subject {
  return {
    gateway: 'nginx',
    features: featured ? 'key + limit + log' : 'bare',
    async start(ground) {
      const program = fromDebian(['nginx'], 'usr/sbin/nginx')
      const port = await freePort()
      const file = join(ground.dir, 'nginx.conf')
      await mkdir(join(ground.dir, 'tmp'), { recursive: true })
      await writeFile(file, configuration(port, ground, featured))
      const running = await startGateway(program.path, ['-c', file, '-e', join(ground.dir, 'error.log')], {
        port,
        env: program.env,
      })
      return { ...running, port, requests: [get('/items/1', featured ? { 'X-Api-Key': key } : {})] }
    },
  }
}

export const nginx: readonly Subject[] = [subject(false), subject(true)]
