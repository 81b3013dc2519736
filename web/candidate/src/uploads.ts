/** Files on their way: a few at a time, each with its progress, each under one image id however often it is tried. */
import type { Uploaded } from '@shared/api/upload'
import { newId } from '@shared/action'
import { noAnswer, problemFrom, Problem } from '@shared/problem'
import { onScopeDispose, reactive } from 'vue'
import { imagePath } from './api'
import { session } from './session'

const AT_ONCE = 3
const PATIENCE_MS = 60_000
/** The service refuses larger ones; asking it first would only cost the candidate's traffic. */
const LARGEST_BYTES = 204_800

export interface Upload {
  readonly imageId: string
  readonly item: string
  readonly file: File
  /** An object URL of the chosen file. */
  readonly preview: string
  state: 'queued' | 'sending' | 'failed'
  /** 0 to 1. */
  sent: number
  problem: Problem | null
}

interface Outcome {
  onStored: (upload: Upload, stored: Uploaded) => void
  /** The service said no: the page may be out of date. */
  onRefused: () => void
}

export function useUploads(applicationNo: string, { onStored, onRefused }: Outcome) {
  const uploads = reactive<Upload[]>([])
  /** By image id: what was just uploaded need not be downloaded to be shown. */
  const previews = new Map<string, string>()

  function add(item: string, files: File[]): void {
    for (const file of files) {
      const problem = unfit(file)
      uploads.push({
        imageId: newId(),
        item,
        file,
        preview: URL.createObjectURL(file),
        state: problem ? 'failed' : 'queued',
        sent: 0,
        problem,
      })
    }
    startSome()
  }

  function retry(upload: Upload): void {
    upload.state = 'queued'
    upload.problem = null
    startSome()
  }

  function drop(upload: Upload): void {
    const at = uploads.indexOf(upload)
    if (at >= 0) uploads.splice(at, 1)
    if (!previews.has(upload.imageId)) URL.revokeObjectURL(upload.preview)
  }

  function startSome(): void {
    for (const next of uploads.filter((each) => each.state === 'queued')) {
      const sending = uploads.filter((each) => each.state === 'sending')
      // One at a time under an item, so that its images stand in the order in which they were chosen.
      if (sending.length < AT_ONCE && !sending.some((each) => each.item === next.item)) void start(next)
    }
  }

  async function start(upload: Upload): Promise<void> {
    upload.state = 'sending'
    try {
      const stored = await send(upload)
      previews.set(upload.imageId, upload.preview)
      drop(upload)
      onStored(upload, stored)
    } catch (error) {
      upload.state = 'failed'
      upload.problem = error instanceof Problem ? error : noAnswer()
      if (!upload.problem.passes) onRefused()
    }
    startSome()
  }

  async function send(upload: Upload): Promise<Uploaded> {
    for (let attempt = 0; ; attempt += 1) {
      upload.sent = 0
      const { status, body } = await put(imagePath(applicationNo, upload.item, upload.imageId), upload)
      if (status === 200 || status === 201) return JSON.parse(body) as Uploaded
      const problem = problemFrom(status, body)
      if (!(await session.http.cured(problem, attempt))) throw problem
    }
  }

  function onOnline(): void {
    for (const each of uploads) if (each.problem?.status === 0) retry(each)
  }

  function onLeave(event: BeforeUnloadEvent): void {
    if (uploads.some((each) => each.state !== 'failed')) event.preventDefault()
  }

  window.addEventListener('online', onOnline)
  window.addEventListener('beforeunload', onLeave)
  onScopeDispose(() => {
    window.removeEventListener('online', onOnline)
    window.removeEventListener('beforeunload', onLeave)
  })

  return { uploads, previews, add, retry, drop }
}

function unfit(file: File): Problem | null {
  if (file.size === 0) return new Problem(422, 'empty', { zh: '文件是空的，请重新选择。', en: 'The file is empty.' })
  if (file.size <= LARGEST_BYTES) return null
  const kb = Math.ceil(file.size / 1024)
  return new Problem(413, 'too_large_bytes', {
    zh: `图片有 ${kb} KB，超过 200 KB，请压缩后重新上传。`,
    en: `The image has ${kb} KB. Compress it to 200 KB or less.`,
  })
}

/** `fetch` can't tell how much of a body is sent, so this is an XMLHttpRequest. */
function put(path: string, upload: Upload): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', path)
    request.timeout = PATIENCE_MS
    request.setRequestHeader('Content-Type', upload.file.type || 'application/octet-stream')
    request.setRequestHeader(
      'Content-Disposition',
      `attachment; filename*=UTF-8''${encodeURIComponent(upload.file.name).replace(/['()*]/g, percent)}`,
    )
    request.setRequestHeader('X-CSRF-Token', session.http.csrfToken)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) upload.sent = event.loaded / event.total
    }
    request.onload = () => resolve({ status: request.status, body: request.responseText })
    request.onerror = request.ontimeout = request.onabort = () => reject(noAnswer())
    request.send(upload.file)
  })
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
