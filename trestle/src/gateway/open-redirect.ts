import type { RedirectSpec } from './redirect.ts'
import type { OpenRoute } from './route/open-route.ts'
import { openPathRewrite } from './upstream/path-rewrite.ts'

/** Opens a redirect: one endpoint for all methods. */
export function openRedirect(spec: RedirectSpec): OpenRoute {
  const rewritten = openPathRewrite(spec.path)
  const endpoint: OpenRoute['endpoints'][number] = {
    method: '*',
    template: spec.pattern,
    place: `redirect(${spec.pattern})`,
    operation: undefined,
    target: 'redirect',
    access: spec.access,
    allowInPath: spec.allowInPath,
    cost: spec.cost,
    policies: spec.policies,
    answer({ path, query }) {
      // A path that begins with two slashes would name another host.
      const to = rewritten(path).replace(/^\/+/, '/')
      return { status: spec.status, headers: [['Location', `${spec.origin}${to}${query === '' ? '' : `?${query}`}`]] }
    },
  }
  return { endpoints: [endpoint], documents: [] }
}
