/** Where findings are drawn on a photo: their shapes, and numbers that do not lie on each other. */
import type { PhotoFinding, PhotoMark } from '@shared/api/upload'

/** In percent of the photo's width and height. */
export interface Place {
  x: number
  y: number
}

export interface Drawn {
  n: number
  severity: PhotoFinding['severity']
  shape: PhotoMark['shape']
  from: Place
  to: Place
  number: Place
}

/** What a finding without a place speaks of. */
const WHOLE: PhotoMark = { shape: 'box', x1: 0, y1: 0, x2: 1, y2: 1 }
/** Nothing is drawn nearer to the edge: half of it would be cut off. */
const RIM = 1
/** Boxes in the same place are drawn in each other. */
const STEP = 1.6
/** So far from the edge, and from each other, stand the numbers' centres; in percent of the width. */
const NUMBER_RIM = 5.5
const APART = 10

/** `tall` is the photo's height over its width. */
export function drawn(findings: readonly PhotoFinding[], tall: number): Drawn[] {
  const all: Drawn[] = []
  findings.forEach((finding, at) => {
    for (const mark of finding.marks.length ? finding.marks : [WHOLE]) {
      const { from, to } = shape(mark, all)
      const number = free(numberPlaces(mark.shape, from, to), all, tall)
      all.push({ n: at + 1, severity: finding.severity, shape: mark.shape, from, to, number })
    }
  })
  return all
}

function inside(share: number, rim: number): number {
  return Math.min(100 - rim, Math.max(rim, share * 100))
}

function shape({ shape, x1, y1, x2, y2 }: PhotoMark, before: readonly Drawn[]): { from: Place; to: Place } {
  const at = (x: number, y: number): Place => ({ x: inside(x, RIM), y: inside(y, RIM) })
  if (shape === 'line') return { from: at(x1, y1), to: at(x2, y2) }
  const from = at(Math.min(x1, x2), Math.min(y1, y2))
  const to = at(Math.max(x1, x2), Math.max(y1, y2))
  for (const other of before) {
    if (other.shape !== 'box' || !near(other.from, from) || !near(other.to, to)) continue
    from.x += STEP
    from.y += STEP
    to.x -= STEP
    to.y -= STEP
  }
  return { from, to }
}

function near(a: Place, b: Place): boolean {
  return Math.abs(a.x - b.x) < STEP && Math.abs(a.y - b.y) < STEP
}

/** Where the number may stand, the best place first. */
function numberPlaces(kind: PhotoMark['shape'], from: Place, to: Place): Place[] {
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
  if (kind === 'line') return [middle, to, from]
  const { x: left, y: top } = from
  const { x: right, y: bottom } = to
  return [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
    { x: middle.x, y: top },
    { x: right, y: middle.y },
    { x: middle.x, y: bottom },
    { x: left, y: middle.y },
  ]
}

function free(places: Place[], taken: readonly Drawn[], tall: number): Place {
  const within = places.map(({ x, y }) => ({
    x: inside(x / 100, NUMBER_RIM),
    y: inside(y / 100, NUMBER_RIM / tall),
  }))
  const apart = (a: Place, b: Place): number => Math.hypot(a.x - b.x, (a.y - b.y) * tall)
  return within.find((place) => taken.every(({ number }) => apart(number, place) >= APART)) ?? within[0]!
}
