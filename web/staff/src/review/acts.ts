/** What is done with the application as a whole; afterwards the next one opens by itself. */
import { useAction } from '@shared/action'
import type { Opinion } from '@shared/api/common'
import { go } from '@shared/route'
import { asProblem } from '@shared/problem'
import { ref } from 'vue'
import * as api from '../api'
import { flash } from '../flash'
import { addressOfApplication, addressOfList } from '../places'
import type { Pending } from '../shapes'
import { offerUndo } from '../undo'
import { asksForOne, asksNoMore, work } from '../work'
import { t } from '../words'
import { next } from './ahead'
import { letGo } from './pictures'
import type { ReviewStore } from './store'

export type Act = 'return' | 'pass' | 'sendBack' | 'decide' | 'agree' | 'disagree' | 'falseMaterial'
export type Asking = Act | 'askFor'
type Done = 'returned' | 'passed' | 'sent_back' | 'decided' | 'proposed' | 'agreed' | 'disagreed' | 'released'

/** Until then an act may be undone, and the images are wanted again. */
const IMAGES_STAY_MS = 15_000

export interface Said {
  /** Of a decision, or of what a site recommends. */
  opinion: Opinion
  words: string
}

export function backToList(): void {
  go(addressOfList(work.state ?? 'waiting'))
}

export function useActs(store: ReviewStore) {
  const { applicationNo } = store
  const asking = ref<Asking | null>(null)
  /** The application is not this person's any more. */
  const isDone = ref(false)
  /** What a dialog begins with. */
  const opinion = ref<Opinion>('approved')

  function ask(act: Asking, about: Opinion = 'approved'): void {
    opinion.value = about
    asking.value = act
  }

  const acting = useAction(async (key: string, act: Act, said: Said) => {
    asksForOne()
    const revision = store.review.value?.revision ?? 0
    try {
      const [done, pending] = await store.fresh(() => send(key, act, said, revision))
      store.drafts.delete(`@${act}`)
      await goOn(done, pending)
    } catch (error) {
      asksNoMore()
      // What is new is to be looked at; the words stay.
      if (asProblem(error).code === 'revision-changed') asking.value = null
      throw error
    }
  })

  async function send(
    key: string,
    act: Act,
    { opinion, words }: Said,
    revision: number,
  ): Promise<[Done, Pending | null]> {
    switch (act) {
      case 'return':
        return ['returned', (await api.returnItems(applicationNo, key, revision)).act]
      case 'pass': {
        const recommends = opinion === 'approved' ? null : { opinion, words }
        return ['passed', (await api.pass(applicationNo, key, revision, recommends)).act]
      }
      case 'sendBack':
        return ['sent_back', (await api.sendBack(applicationNo, key, revision, words)).act]
      case 'decide': {
        const moved = await api.decide(applicationNo, key, revision, opinion, words)
        return [moved.proposed ? 'proposed' : 'decided', moved.act]
      }
      case 'agree':
      case 'disagree': {
        const moved = await api.secondLook(applicationNo, key, revision, act === 'agree', words)
        return [act === 'agree' ? 'agreed' : 'disagreed', moved.act]
      }
      case 'falseMaterial':
        throw new Error('recorded by itself')
    }
  }

  /** The act is done: on to the next one, or back to the list that one came from. */
  async function goOn(done: Done, pending: Pending | null): Promise<void> {
    asking.value = null
    isDone.value = true
    const words = () => t(`done_${done}`, { no: applicationNo })
    offerUndo(applicationNo, pending, words)
    setTimeout(() => {
      if (!location.pathname.endsWith(addressOfApplication(applicationNo))) letGo(applicationNo)
    }, IMAGES_STAY_MS)
    const following = done === 'released' ? null : await next(applicationNo)
    if (following !== null) return go(addressOfApplication(following))
    asksNoMore()
    flash.value = words()
    backToList()
  }

  const recording = useAction(async (key: string, found: api.FalseMaterialAsked) => {
    await store.fresh(() => api.recordFalseMaterial(applicationNo, key, found))
    store.drafts.delete('@falseMaterial')
    asking.value = null
    store.said.value = t('saidRecorded')
    await store.load()
  })

  const claiming = useAction(() => store.claim())

  const releasing = useAction(async () => {
    await api.release(applicationNo)
    await goOn('released', null)
  })

  return { asking, opinion, isDone, ask, acting, recording, claiming, releasing }
}
