/** Files that the candidate has chosen, until they are stored. What sends them is loaded when there are some. */
import { newId } from '@shared/action'
import type { Uploaded } from '@shared/api/upload'
import type { Problem } from '@shared/problem'
import { reactive } from 'vue'
import type { Sending } from './sending'

export interface Upload {
  /** Made once for each file, so that however often it is sent, it is stored once. */
  readonly imageId: string
  readonly item: string
  /** What was chosen, until the candidate accepts what was made of it. */
  file: File
  /** An object URL of the file. */
  preview: string
  /** `unfit`: can't be taken as it is; a way to mend it is offered. `waiting`: tried in vain, goes out again by itself. */
  state: 'reading' | 'unfit' | 'queued' | 'sending' | 'waiting' | 'failed'
  /** Why it is unfit. */
  needs: Need[]
  /** The stored image that goes when this one is accepted. */
  readonly replaces: string | null
  /** The candidate put the mending off. */
  later: boolean
  /** 0 to 1. */
  sent: number
  problem: Problem | null
}

export type Need = 'large' | 'pixels' | 'turned' | 'format' | 'wish'

export interface Outcome {
  onStored: (upload: Upload, stored: Uploaded) => void
  /** The service said no: the page may be out of date. */
  onRefused: () => void
}

export function useUploads(applicationNo: string, outcome: Outcome) {
  const uploads = reactive<Upload[]>([])
  /** By image id: what was just uploaded need not be downloaded to be shown. */
  const previews = new Map<string, string>()
  let loaded: Promise<Sending> | null = null

  /** Loads what sends files: at the first touch of an item, so that it is there when the network is not. */
  function prepare(): Promise<Sending> {
    loaded ??= import('./sending').then((code) => code.startSending(applicationNo, uploads, outcome, previews))
    loaded.catch(() => (loaded = null))
    return loaded
  }

  function wake(): void {
    prepare().then(
      (sending) => sending.go(),
      // No network, it seems.
      () => window.setTimeout(wake, 3_000),
    )
  }

  function add(item: string, files: File[], replaces: string | null = null): void {
    for (const file of files) {
      uploads.push({
        imageId: newId(),
        item,
        file,
        preview: URL.createObjectURL(file),
        state: replaces ? 'unfit' : 'reading',
        needs: replaces ? ['wish'] : [],
        replaces,
        later: false,
        sent: 0,
        problem: null,
      })
    }
    wake()
  }

  function retry(upload: Upload): void {
    upload.state = 'queued'
    upload.problem = null
    wake()
  }

  /** Goes on with what was made of the file: exactly these bytes are sent. */
  function accept(upload: Upload, file: File): void {
    URL.revokeObjectURL(upload.preview)
    upload.file = file
    upload.preview = URL.createObjectURL(file)
    retry(upload)
  }

  function drop(upload: Upload): void {
    const at = uploads.indexOf(upload)
    if (at >= 0) uploads.splice(at, 1)
    if (!previews.has(upload.imageId)) URL.revokeObjectURL(upload.preview)
  }

  return { uploads, previews, add, retry, accept, drop, prepare }
}
