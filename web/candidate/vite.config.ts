import type { Plugin } from 'vite'
import { pages } from '../vite.shared.ts'

/** What every page stands on, in one chunk with Vue. */
const BASE =
  /node_modules|plugin-vue|\/web\/shared\/(?!facts|ModalBox|LoginForm|time|.*\.en)|\/src\/(main|session|announce|tabs|words\.shell)\.ts$|\/App\.vue/
/** What is there once somebody is logged in, whichever tab they look at. */
const INSIDE = /\/src\/(application|live|every|inbox|clock|uploads|api)\.ts$|\/InsidePage\.vue|\/shared\/time\.ts$/
const HOME = /\/src\/(next|words\.home)\.ts$|\/(HomePage|WindowLines)\.vue/
const REGISTRATION = /\/src\/(words\.page|goto)\.ts$|\/ApplicationPage\.vue/
const LOGIN = /\/src\/words\.login\.ts$|\/(LoginPage|CandidateLogin|LoginForm)\.vue/
const WORDS = /\/src\/(words|told)\.ts$/

/** A chunk's style comes with the page's one style sheet, so Vite's helper that waits for it would only weigh. */
const loadPlainly: Plugin = {
  name: 'load-plainly',
  enforce: 'pre',
  load: (id) => (id.includes('vite/preload-helper') ? 'export const __vitePreload = (load) => load()' : null),
}

export default pages('/', {
  plugins: [loadPlainly],
  build: {
    cssCodeSplit: false,
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_file, deps, { hostType }) => (hostType === 'html' ? deps : []),
    },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'base', test: BASE, priority: 3 },
            { name: 'words', test: WORDS, priority: 2 },
            { name: 'home', test: HOME, priority: 1 },
            { name: 'login', test: LOGIN, priority: 1 },
            { name: 'registration', test: REGISTRATION, priority: 1 },
            { name: 'inside', test: INSIDE, priority: 2 },
          ],
        },
      },
    },
  },
})
