import '@shared/base.css'
import './page.css'
import { startAppearance } from '@shared/appearance'
import { startLocale } from '@shared/locale'
import { createApp } from 'vue'
import App from './App.vue'

// A page that stood open while a new version was installed asks for code that is no more. Without a network it is only
// asked for again later: reloading would lose what is under way.
addEventListener('vite:preloadError', () => void reloadIfReplaced())

async function reloadIfReplaced(): Promise<void> {
  const answer = await fetch(import.meta.env.BASE_URL, { cache: 'no-store' }).catch(() => null)
  if (answer?.ok && !(await answer.text()).includes(new URL(import.meta.url).pathname)) location.reload()
}

startAppearance()
void startLocale().then(() => createApp(App).mount('#app'))
