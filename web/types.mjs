/** Writes TypeScript types from the OpenAPI documents of a running system: `ORIGIN=http://127.0.0.1:8100 npm run types`. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

const origin = process.env.ORIGIN ?? 'http://127.0.0.1:8100'
mkdirSync('shared/api/generated', { recursive: true })
for (const service of ['upload', 'review', 'notify']) {
  const source = `${origin}/openapi/${service}.json`
  execFileSync('openapi-typescript', [source, '-o', `shared/api/generated/${service}.d.ts`], { stdio: 'inherit' })
}
