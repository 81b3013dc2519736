/** Chinese first, English on request; the choice is kept on this device. */
import { ref } from 'vue'
import type { Text } from './api/common'

export type Locale = 'zh' | 'en'

const KEPT_AS = 'baoshen-locale'

function kept(): Locale {
  try {
    return localStorage.getItem(KEPT_AS) === 'en' ? 'en' : 'zh'
  } catch {
    return 'zh' // storage may be forbidden
  }
}

export const locale = ref<Locale>(kept())

export function setLocale(next: Locale): void {
  locale.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  try {
    localStorage.setItem(KEPT_AS, next)
  } catch {
    // then it holds for this page only
  }
}

/** The text in the reader's language. */
export function say(text: Text | null | undefined): string {
  return text?.[locale.value] ?? ''
}

/** A page's own words: `t('greeting', { name })` fills `{name}`. */
export function words<K extends string>(table: Record<K, readonly [zh: string, en: string]>) {
  return (key: K, values: Record<string, string | number> = {}): string => {
    const [zh, en] = table[key]
    return (locale.value === 'zh' ? zh : en).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
  }
}
