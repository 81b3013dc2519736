/** All that the parts of the review screen share. */
import { inject, provide, type InjectionKey } from 'vue'
import { useActs } from './acts'
import { useMarking } from './marking'
import { useReview } from './store'
import { useView } from './view'

export type Screen = ReturnType<typeof makeScreen>

const screenKey: InjectionKey<Screen> = Symbol('review screen')

function makeScreen(applicationNo: string) {
  const store = useReview(applicationNo)
  return { store, view: useView(), acts: useActs(store), marking: useMarking(store) }
}

export function provideScreen(applicationNo: string): Screen {
  const screen = makeScreen(applicationNo)
  provide(screenKey, screen)
  return screen
}

export function theScreen(): Screen {
  const screen = inject(screenKey)
  if (!screen) throw new Error('no review above this component')
  return screen
}
