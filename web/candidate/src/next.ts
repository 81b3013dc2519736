/** What the candidate should do next, in one sentence and one button. */
import type { Application } from '@shared/api/upload'
import { h } from './words.home'

export interface Next {
  /** Stable, for tests. */
  step: 'upload' | 'submit' | 'wait' | 'fix' | 'resubmit' | 'closed' | 'lapsed' | 'published'
  tone: 'quiet' | 'warn' | 'good' | 'bad'
  text: string
  go: string
}

export function nextStep(application: Application): Next {
  const { state, can_submit, missing, uploads, opinion } = application
  const open = new Set(
    application.feedback.flatMap(({ items }) => items.filter((each) => each.open).map((i) => i.item)),
  )
  switch (state) {
    case 'submitted':
      return { step: 'wait', tone: 'quiet', text: h('wait'), go: h('look') }
    case 'lapsed':
      return { step: 'lapsed', tone: 'bad', text: h('lapsed'), go: h('look') }
    case 'published': {
      const said = opinion?.opinion ?? 'approved'
      return { step: 'published', tone: said === 'approved' ? 'good' : 'bad', text: h(said), go: h('opinionGo') }
    }
    case 'returned':
      if (can_submit) return { step: 'resubmit', tone: 'warn', text: h('resubmit'), go: h('resubmitGo') }
      if (open.size === 0) return { step: 'fix', tone: 'warn', text: h('reopened'), go: h('fixGo') }
      return { step: 'fix', tone: 'warn', text: h('fix', { n: open.size }), go: h('fixGo') }
    case 'withdrawn':
      return can_submit
        ? { step: 'resubmit', tone: 'warn', text: h('withdrawn'), go: h('resubmitGo') }
        : { step: 'upload', tone: 'warn', text: h('withdrawn'), go: h('uploadGo') }
    case 'draft':
      if (!uploads && missing.length === 0)
        return { step: 'submit', tone: 'quiet', text: h('checkData'), go: h('checkDataGo') }
      if (missing.length === 0) return { step: 'submit', tone: 'good', text: h('submit'), go: h('submitGo') }
      return { step: 'upload', tone: 'quiet', text: h('upload', { n: missing.length }), go: h('uploadGo') }
  }
}
