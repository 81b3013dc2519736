import '@shared/base.css'
import './page.css'
import { startLocale } from '@shared/locale'
import { createApp } from 'vue'
import App from './App.vue'
import { place } from './places'

// A page that stood open while a new version was installed asks for code that is no more. Somebody who reviews is left
// alone: words that were typed would be lost.
addEventListener('vite:preloadError', () => void reloadIfReplaced())

async function reloadIfReplaced(): Promise<void> {
  const answer = await fetch(import.meta.env.BASE_URL, { cache: 'no-store' }).catch(() => null)
  if (!answer?.ok || place.value.name === 'application') return
  if (!(await answer.text()).includes(new URL(import.meta.url).pathname)) location.reload()
}

void startLocale().then(() => createApp(App).mount('#app'))
