import '@shared/base.css'
import './page.css'
import { startLocale } from '@shared/locale'
import { createApp } from 'vue'
import App from './App.vue'

// A page that stood open while a new version was installed asks for code that is no more.
addEventListener('vite:preloadError', () => {
  if (performance.now() > 10_000) location.reload()
})

void startLocale().then(() => createApp(App).mount('#app'))
