/** Requests to the services: CSRF token, time-outs, problems as errors, and a session that may end on the way. */
import { noAnswer, problemFrom, type Problem } from './problem'

const PATIENCE_MS = 20_000

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  /** Idempotency-Key: one per user action, see `UserAction`. */
  key?: string
  /** Say no at once instead of asking the person to log in. */
  anonymous?: boolean
}

export interface Keeper {
  csrfToken(): string
  /** Resolves when the person has logged in again. */
  loggedInAgain(): Promise<void>
  /** Asks for the session's token anew. */
  refresh(): Promise<void>
}

export class Http {
  private readonly keeper: Keeper

  constructor(keeper: Keeper) {
    this.keeper = keeper
  }

  get csrfToken(): string {
    return this.keeper.csrfToken()
  }

  async send<T>(path: string, call: Call = {}): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      const { status, body } = await this.fetch(path, call)
      if (status >= 200 && status < 300) return (body === '' ? undefined : JSON.parse(body)) as T
      const problem = problemFrom(status, body)
      if (call.anonymous || !(await this.cured(problem, attempt))) throw problem
    }
  }

  /** Whether the same request may go out again, now that the session is in order. */
  async cured(problem: Problem, attempt: number): Promise<boolean> {
    if (problem.status === 401 && attempt < 5) {
      await this.keeper.loggedInAgain()
      return true
    }
    if (problem.code === 'csrf-token-wrong' && attempt === 0) {
      await this.keeper.refresh()
      return true
    }
    return false
  }

  private async fetch(path: string, call: Call): Promise<{ status: number; body: string }> {
    const method = call.method ?? 'GET'
    const headers: Record<string, string> = { Accept: 'application/json' }
    if (method !== 'GET' && this.csrfToken) headers['X-CSRF-Token'] = this.csrfToken
    if (call.key) headers['Idempotency-Key'] = call.key
    if (call.body !== undefined) headers['Content-Type'] = 'application/json'
    const init: RequestInit = { method, headers, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) }
    if (call.body !== undefined) init.body = JSON.stringify(call.body)
    try {
      const response = await fetch(path, init)
      return { status: response.status, body: await response.text() }
    } catch {
      throw noAnswer()
    }
  }
}
