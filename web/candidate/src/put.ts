/** Files to the service and back, as the bytes that they are. */
import { noAnswer, Problem, problemFrom } from '@shared/problem'
import { session } from './session'

const PATIENCE_MS = 60_000

interface Way {
  method?: 'PUT' | 'POST'
  /** Idempotency-Key. */
  key?: string
  /** Told how much has gone, 0 to 1. */
  onSent?: (share: number) => void
  signal?: AbortSignal
}

/** Sends a file; a session that ends on the way is waited for. */
export async function sendFile<T>(path: string, file: Blob, way: Way = {}): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    way.onSent?.(0)
    const { status, body } = await request(path, file, way)
    if (status === 200 || status === 201) return JSON.parse(body) as T
    const problem = problemFrom(status, body)
    if (!(await session.http.cured(problem, attempt))) throw problem
  }
}

/** Reads a file, exactly as it is stored. */
export async function readFile(path: string): Promise<Blob> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) })
      if (answer.ok) return await answer.blob()
      const problem = problemFrom(answer.status, await answer.text())
      if (!(await session.http.cured(problem, attempt))) throw problem
    } catch (error) {
      // `fetch` and the reading of its body fail with several kinds of errors when the network goes.
      throw error instanceof Problem ? error : noAnswer()
    }
  }
}

/** `fetch` can't tell how much of a body is sent, so this is an XMLHttpRequest. */
function request(
  path: string,
  file: Blob,
  { method = 'PUT', key, onSent, signal }: Way,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open(method, path)
    xhr.timeout = PATIENCE_MS
    xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
    if (file instanceof File) xhr.setRequestHeader('Content-Disposition', `attachment; filename*=UTF-8''${named(file)}`)
    if (key) xhr.setRequestHeader('Idempotency-Key', key)
    xhr.setRequestHeader('X-CSRF-Token', session.http.csrfToken)
    xhr.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) onSent?.(loaded / total)
    }
    xhr.onload = () => resolve({ status: xhr.status, body: xhr.responseText })
    xhr.onerror = xhr.ontimeout = xhr.onabort = () => reject(noAnswer())
    signal?.addEventListener('abort', () => xhr.abort())
    xhr.send(file)
  })
}

function named({ name }: File): string {
  return encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
