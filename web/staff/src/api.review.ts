/** What the review screen asks for beside what all pages do. */
import { session } from './session'

/** Gives an application back while the page goes away: nobody waits for the answer. */
export function releaseLeaving(applicationNo: string): void {
  void fetch(`/reviews/${encodeURIComponent(applicationNo)}/claim`, {
    method: 'DELETE',
    headers: { 'X-CSRF-Token': session.http.csrfToken },
    keepalive: true,
  }).catch(() => undefined)
}
