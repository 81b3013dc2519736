/** Light, dark, or as the system has it; the choice is kept on this device. */
import { ref } from 'vue'

export const APPEARANCES = ['auto', 'light', 'dark'] as const
export type Appearance = (typeof APPEARANCES)[number]

const KEPT_AS = 'baoshen-appearance'

export const appearance = ref<Appearance>('auto')

function wear(next: Appearance): void {
  appearance.value = next
  if (next === 'auto') delete document.documentElement.dataset['appearance']
  else document.documentElement.dataset['appearance'] = next
}

/** Before the page is shown. */
export function startAppearance(): void {
  try {
    const kept = localStorage.getItem(KEPT_AS)
    if (kept === 'light' || kept === 'dark') wear(kept)
  } catch {
    // storage may be forbidden
  }
}

export function setAppearance(next: Appearance): void {
  wear(next)
  try {
    if (next === 'auto') localStorage.removeItem(KEPT_AS)
    else localStorage.setItem(KEPT_AS, next)
  } catch {
    // then it holds for this page only
  }
}
