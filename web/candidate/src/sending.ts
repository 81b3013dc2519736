/** Sends files: a few at a time, each with its progress; waits for the network and goes on by itself. */
import type { Uploaded } from '@shared/api/upload'
import { noAnswer, Problem } from '@shared/problem'
import { imagePath } from './api'
import { inspect, opens } from './inspect'
import { sendFile } from './put'
import type { Outcome, Upload } from './uploads'

export { default as UploadTile } from './components/UploadTile.vue'

const AT_ONCE = 3
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 60_000

const SAID = {
  empty: { zh: '文件是空的，请重新选择。', en: 'The file is empty. Choose it again.' },
  gone: { zh: '文件无法读取，请重新选择。', en: 'The file can’t be read. Choose it again.' },
  heic: {
    zh: '这是 HEIC 格式的照片，浏览器无法打开。请在手机相机设置中选择“兼容性最佳”（JPEG）重新拍摄，或导出为 jpg 后上传。',
    en: 'This browser can’t open HEIC. Set the phone’s camera to “most compatible” (JPEG), or export it as a jpg.',
  },
  other: {
    zh: '这不是 jpg 或 png 图片，也无法自动转换。请转换格式后重新上传。',
    en: 'It is neither a jpg nor a png image, and can’t be converted here. Convert it and try again.',
  },
}

export interface Sending {
  go: () => void
}

export function startSending(
  applicationNo: string,
  uploads: Upload[],
  { onStored, onRefused }: Outcome,
  previews: Map<string, string>,
): Sending {
  let pause = FIRST_PAUSE_MS
  let timer = 0
  const looking = new Set<string>()

  function go(): void {
    for (const each of uploads) if (each.state === 'reading' && !looking.has(each.imageId)) void read(each)
    if (navigator.onLine) start()
    else hold()
  }

  /** What says that there is no network may be wrong: after a pause it is tried all the same. */
  function hold(): void {
    for (const each of uploads) {
      if (each.state !== 'queued') continue
      each.state = 'waiting'
      each.problem = noAnswer()
      plan()
    }
  }

  function start(): void {
    for (const next of uploads.filter((each) => each.state === 'queued')) {
      const sending = uploads.filter((each) => each.state === 'sending')
      // One at a time under an item, so that its images stand in the order in which they were chosen.
      if (sending.length < AT_ONCE && !sending.some((each) => each.item === next.item)) void send(next)
    }
  }

  /** Looks at the file before it costs the candidate's traffic. */
  async function read(upload: Upload): Promise<void> {
    looking.add(upload.imageId)
    try {
      const { file } = upload
      if (file.size === 0) throw refusal('empty', SAID.empty)
      const needs = await inspect(file)
      if (needs.length === 0) upload.state = 'queued'
      else if (!(await opens(upload.preview))) throw unreadable(upload, needs)
      else {
        // Its code must be there when the network is not.
        void import('./components/FixDialog.vue').catch(() => undefined)
        upload.needs = needs
        upload.state = 'unfit'
      }
    } catch (error) {
      upload.problem = error instanceof Problem ? error : refusal('unreadable', SAID.gone)
      upload.state = 'failed'
    }
    go()
  }

  async function send(upload: Upload): Promise<void> {
    upload.state = 'sending'
    try {
      const path = imagePath(applicationNo, upload.item, upload.imageId)
      const stored = await sendFile<Uploaded>(path, upload.file, { onSent: (share) => (upload.sent = share) })
      previews.set(upload.imageId, upload.preview)
      uploads.splice(uploads.indexOf(upload), 1)
      pause = FIRST_PAUSE_MS
      onStored(upload, stored)
    } catch (error) {
      upload.problem = error instanceof Problem ? error : noAnswer()
      upload.state = upload.problem.passes ? 'waiting' : 'failed'
      if (upload.state === 'waiting') plan()
      else onRefused()
    }
    go()
  }

  function plan(): void {
    if (timer !== 0) return
    timer = window.setTimeout(again, pause)
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
  }

  function again(): void {
    clearTimeout(timer)
    timer = 0
    for (const each of uploads) {
      if (each.state !== 'waiting') continue
      each.state = 'queued'
      each.problem = null
    }
    start()
  }

  window.addEventListener('online', () => {
    pause = FIRST_PAUSE_MS
    again()
  })
  window.addEventListener('beforeunload', (event) => {
    if (uploads.some((each) => each.state !== 'failed')) event.preventDefault()
  })
  return { go }
}

function refusal(code: string, words: { zh: string; en: string }): Problem {
  return new Problem(422, code, words)
}

function unreadable(upload: Upload, needs: string[]): Problem {
  const { name, size, type } = upload.file
  if (/\.(heic|heif)$/i.test(name) || /hei[cf]/.test(type)) return refusal('unsupported_format', SAID.heic)
  const kb = Math.ceil(size / 1024)
  if (needs.includes('format')) return refusal('unsupported_format', SAID.other)
  return refusal('corrupt', {
    zh: `图片有 ${kb} KB，超过 200 KB，而且无法打开，不能自动压缩。请重新拍摄或导出后上传。`,
    en: `The image has ${kb} KB, more than 200 KB, and can’t be opened to compress it. Take or export it again.`,
  })
}
