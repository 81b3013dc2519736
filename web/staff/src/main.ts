import '@shared/base.css'
import './page.css'
import { startLocale } from '@shared/locale'
import { createApp } from 'vue'
import App from './App.vue'

void startLocale().then(() => createApp(App).mount('#app'))
