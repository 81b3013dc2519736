/** Why a request failed, as RFC 9457 problem documents say it. */
import type { Text } from './api/common'

export class Problem extends Error {
  /** 0 where no answer came. */
  readonly status: number
  readonly code: string
  /** What happened and what to do, for the person. */
  readonly words: Text
  /** The whole document: some problems carry more, such as what is missing. */
  readonly document: Record<string, unknown>

  constructor(status: number, code: string, words: Text, document: Record<string, unknown> = {}) {
    super(`${status} ${code}`)
    this.status = status
    this.code = code
    this.words = words
    this.document = document
  }

  /** The same request may succeed later, unchanged. */
  get passes(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

export function noAnswer(): Problem {
  return new Problem(0, 'no-answer', {
    zh: '网络不通，没有收到回复。请检查网络后重试。',
    en: 'No answer: the network may be down. Check it and try again.',
  })
}

/** Reads a refusal; whatever was sent, the person gets words. */
export function problemFrom(status: number, body: string): Problem {
  let document: Record<string, unknown> = {}
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null) document = parsed as Record<string, unknown>
  } catch {
    // Not from our services: a proxy in between, perhaps.
  }
  const { code, detail, detail_en } = document
  const zh = typeof detail === 'string' ? detail : `请求未成功（${status}），请稍后重试。`
  const en = typeof detail_en === 'string' ? detail_en : typeof detail === 'string' ? detail : `It failed (${status}).`
  return new Problem(status, typeof code === 'string' ? code : 'unknown', { zh, en }, document)
}

/** What to show for anything that was thrown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  console.error(error)
  return new Problem(-1, 'page-error', {
    zh: '页面出现错误，请刷新后重试。',
    en: 'Something broke on this page. Reload it and try again.',
  })
}
