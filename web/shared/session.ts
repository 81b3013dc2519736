/** Who is logged in, on either side. When a session ends, requests wait until the same person is back. */
import { ref, shallowRef } from 'vue'
import { Http } from './http'
import { Problem } from './problem'

export function makeSession<S extends { csrf_token: string }>(path: string, who: (session: S) => string) {
  const current = shallowRef<S | null>(null)
  const known = ref(false)
  const ended = ref(false)
  let back: { promise: Promise<void>; resolve: () => void } | null = null

  const http: Http = new Http({
    csrfToken: () => current.value?.csrf_token ?? '',
    loggedInAgain() {
      ended.value = true
      if (back === null) {
        let resolve = () => {}
        const promise = new Promise<void>((done) => (resolve = done))
        back = { promise, resolve }
      }
      return back.promise
    },
    refresh: async () => take(await http.send<S>(path)),
  })

  function take(session: S): void {
    if (current.value !== null && who(current.value) !== who(session)) {
      // Somebody else logged in here: nothing of the first person may stay on the page.
      location.reload()
    }
    current.value = session
    ended.value = false
    back?.resolve()
    back = null
  }

  /** Finds the session that the browser already has. */
  async function find(): Promise<void> {
    try {
      take(await http.send<S>(path, { anonymous: true }))
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error
    } finally {
      known.value = true
    }
  }

  /** `more` is what the service asks for beyond them, such as a captcha. */
  async function logIn(login: string, password: string, more: object = {}): Promise<void> {
    await enter(path, { login, password, ...more })
  }

  /** Opens a session at any address that gives one. */
  async function enter(at: string, body: object): Promise<void> {
    take(await http.send<S>(at, { method: 'POST', body, anonymous: true }))
  }

  async function logOut(): Promise<void> {
    try {
      await http.send(path, { method: 'DELETE', anonymous: true })
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error
    }
    location.assign(import.meta.env.BASE_URL)
  }

  return { current, known, ended, http, find, logIn, enter, logOut }
}
