/** Chinese first, English on request; the choice is kept on this device. */
import { ref, shallowRef } from 'vue'
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

const first = kept()
const loaders: (() => Promise<void>)[] = []
let coming: Promise<unknown> = Promise.resolve()

/** The words of the code that has come so far, in the reader's language; without them it is still of use. */
export const wordsThere = (): Promise<unknown> => coming

export const locale = ref<Locale>('zh')

export async function setLocale(next: Locale): Promise<void> {
  if (next === 'en') await Promise.all(loaders.map((load) => load()))
  locale.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  try {
    localStorage.setItem(KEPT_AS, next)
  } catch {
    // then it holds for this page only
  }
}

/** Before the page is shown. */
export async function startLocale(): Promise<void> {
  // Without its English words a page is still of use.
  await setLocale(first).catch(() => undefined)
}

/** The text in the reader's language. */
export function say(text: Text | null | undefined): string {
  return text?.[locale.value] ?? ''
}

/** A page's own words: `t('greeting', { name })` fills `{name}`. English is loaded only for those who read it. */
export function words<K extends string>(zh: Record<K, string>, english: () => Promise<{ default: Record<K, string> }>) {
  const en: { value: Record<K, string> } = shallowRef(zh)
  async function load(): Promise<void> {
    en.value = (await english()).default
  }
  loaders.push(load)
  // Words that come with code which is loaded later come too late for `setLocale`.
  if (locale.value === 'en') coming = Promise.allSettled([coming, load()])
  return (key: K, values: Record<string, string | number> = {}): string =>
    (locale.value === 'zh' ? zh : en.value)[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}
