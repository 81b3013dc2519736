/** A component whose code is loaded when it is first shown. Vue's own way weighs 0.4 KB more, gzip. */
import { defineComponent, h, shallowRef, type Component } from 'vue'
import { wordsThere } from './locale'

const AGAIN_MS = 3_000

export function lazily<C extends Component>(load: () => Promise<{ default: C }>): C {
  const loaded = shallowRef<C | null>(null)

  function begin(): void {
    load().then(
      // Shown at once, it would speak Chinese to an English reader for a moment.
      (module) => void wordsThere().then(() => (loaded.value = module.default)),
      // The network comes and goes.
      () => setTimeout(begin, AGAIN_MS),
    )
  }

  const lazy = defineComponent({
    inheritAttrs: false,
    setup(_, { attrs, slots }) {
      if (loaded.value === null) begin()
      return () => (loaded.value === null ? null : h(loaded.value, attrs, slots))
    },
  })
  return lazy as unknown as C
}
