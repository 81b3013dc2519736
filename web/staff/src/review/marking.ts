/** Accepting items and taking marks off, by key or by button. */
import { useAction } from '@shared/action'
import type { ReviewItem } from '@shared/api/review'
import { nextTick } from 'vue'
import { t } from '../words'
import type { ReviewStore } from './store'

/** The card that shows an item. */
export function cardOf(code: string | null): HTMLElement | null {
  return code === null ? null : document.querySelector(`[data-test="item-${CSS.escape(code)}"]`)
}

export function useMarking(store: ReviewStore) {
  /** `stay`: the next one that nobody has looked at is not opened. */
  const accepting = useAction(async (_key: string, item: ReviewItem, stay: boolean) => {
    await store.mark(item, { mark: 'accept' })
    if (store.writing.value === item.item) store.writing.value = null
    if (!stay) await goOn(item)
  })

  const clearing = useAction(async (_key: string, item: ReviewItem) => {
    await store.clear(item)
  })

  /** On to the next; whoever works from button to button finds the focus there. */
  async function goOn(item: ReviewItem, focus = cardOf(item.item)?.contains(document.activeElement)): Promise<void> {
    const more = store.toNextUnlooked()
    await nextTick()
    if (focus) {
      const card = cardOf(store.chosen.value)
      const button = more ? card?.querySelector<HTMLElement>('[data-test=accept]') : null
      ;(button ?? card)?.focus({ preventScroll: true })
    }
    if (!more) {
      const returned = store.toReturn.value.length
      store.said.value = returned > 0 ? t('saidAllMarkedReturn', { n: returned }) : t('saidAllMarked')
    }
  }

  function acceptChosen(stay = false): void {
    const item = store.item.value
    if (item?.handed_in && item.channel !== 'onsite') void accepting.run(item, stay)
  }

  function clearChosen(): void {
    const item = store.item.value
    if (item?.mark) void clearing.run(item)
  }

  return { accepting, clearing, goOn, acceptChosen, clearChosen }
}
