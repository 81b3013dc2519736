import components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { pages } from '../vite.shared.ts'

export default pages('/console/', {
  // Of Element Plus only what a template names comes in, each with its own style sheet; our own components are imported.
  plugins: [components({ dirs: [], dts: false, resolvers: [ElementPlusResolver({ importStyle: 'css' })] })],
  // The charts, which only the progress page loads.
  build: { chunkSizeWarningLimit: 600 },
})
