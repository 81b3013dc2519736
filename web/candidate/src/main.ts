import '@shared/base.css'
import './page.css'
import { locale, setLocale } from '@shared/locale'
import { createApp } from 'vue'
import App from './App.vue'

setLocale(locale.value)
createApp(App).mount('#app')
