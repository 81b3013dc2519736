/** What both apps' builds have in common. */
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type UserConfig } from 'vite'

const gateway = process.env['PUBLIC_ORIGIN'] ?? 'http://127.0.0.1:8100'
const apis = [
  '/applications',
  '/candidate',
  '/inbox',
  '/reviews',
  '/bulk-passes',
  '/publications',
  '/progress',
  '/exports',
  '/audit',
  '/staff',
  '/openapi',
]

/** `more` is what one app's build has beyond them. */
export function pages(base: string, more: UserConfig = {}): UserConfig {
  return defineConfig({
    base,
    plugins: [vue(), ...(more.plugins ?? [])],
    resolve: { alias: { '@shared': fileURLToPath(new URL('./shared', import.meta.url)) } },
    define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false },
    build: {
      target: 'es2022',
      // What these lack, such as light-dark(), is written out for them.
      cssTarget: ['chrome105', 'safari16.4', 'firefox110'],
      // The content security policy allows no data: URLs but for images, and every file is hashed anyway.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      ...more.build,
    },
    server: {
      host: '127.0.0.1',
      proxy: Object.fromEntries(
        // The services check the Origin of logins: from here it must be the gateway's.
        apis.map((path) => [path, { target: gateway, headers: { origin: gateway } }]),
      ),
    },
  }) as UserConfig
}
