/** How the image is looked at: zoom, place and turn. Images side by side share it, but for the turn. */
import { computed, reactive } from 'vue'

const LARGEST = 10
const SMALLEST = 0.5
/** How far an arrow key moves the image, as a share of the stage. */
const KEY_STEP = 0.15

export type View = ReturnType<typeof useView>

export function useView() {
  const state = reactive({
    /** 1 where the whole image just fits. */
    zoom: 1,
    x: 0,
    y: 0,
    turned: 0,
    turnedBeside: 0,
    /** The scale at which the image just fits its stage, and the stage's size; the main pane keeps them. */
    fitting: 1,
    width: 1,
    height: 1,
  })
  const zoomed = computed(() => state.zoom > 1.001)
  const percent = computed(() => Math.round(state.fitting * state.zoom * 100))

  function fit(): void {
    Object.assign(state, { zoom: 1, x: 0, y: 0 })
  }

  function reset(): void {
    fit()
    Object.assign(state, { turned: 0, turnedBeside: 0 })
  }

  /** Zooms so that the place (from the stage's middle) stays where it is. */
  function zoomTo(zoom: number, atX = 0, atY = 0): void {
    const to = Math.min(Math.max(LARGEST, 1 / state.fitting), Math.max(SMALLEST, zoom))
    const by = to / state.zoom
    state.zoom = to
    if (to <= 1) Object.assign(state, { x: 0, y: 0 })
    else move(atX - (atX - state.x) * by - state.x, atY - (atY - state.y) * by - state.y)
  }

  function zoomBy(by: number, atX = 0, atY = 0): void {
    zoomTo(state.zoom * by, atX, atY)
  }

  /** One pixel of the image on one of the screen. */
  function actual(): void {
    zoomTo(1 / state.fitting)
  }

  function move(x: number, y: number): void {
    const [mostX, mostY] = [(state.width * state.zoom) / 2, (state.height * state.zoom) / 2]
    state.x = Math.min(mostX, Math.max(-mostX, state.x + x))
    state.y = Math.min(mostY, Math.max(-mostY, state.y + y))
  }

  /** Looks further in a direction: the image moves the other way. */
  function pan(right: number, down: number): void {
    move(-right * state.width * KEY_STEP, -down * state.height * KEY_STEP)
  }

  function turn(besides = false): void {
    if (besides) state.turnedBeside = (state.turnedBeside + 90) % 360
    else state.turned = (state.turned + 90) % 360
  }

  return { state, zoomed, percent, fit, reset, zoomBy, actual, move, pan, turn }
}
