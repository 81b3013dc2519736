/** Makes of an image one that the service takes: upright by itself, and at most 200 KB. */
import { LARGEST_BYTES } from './inspect'

/** Below this, small print can't be read any more: the quality goes down first. */
const LEAST_LONG_SIDE = 1200
const LONG_SIDES = [2000, 1600, 1400, LEAST_LONG_SIDE, 1000, 800, 600]
const BEST_QUALITY = 0.92
const FAIR_QUALITY = 0.62
const LEAST_QUALITY = 0.4
const STEPS = 4

export interface Fixed {
  /** Exactly the bytes that will be stored. */
  file: File
  width: number
  height: number
  /** Smaller than what small print needs. */
  coarse: boolean
}

/** The image as people see it, what EXIF says about its turn included. */
export async function open(file: Blob): Promise<HTMLImageElement> {
  const image = new Image()
  const url = URL.createObjectURL(file)
  image.src = url
  try {
    await image.decode()
  } finally {
    // Decoded or not, the element no longer needs the address.
    URL.revokeObjectURL(url)
  }
  return image
}

/** `turns` are quarters to the right. */
export async function fix(image: HTMLImageElement, original: File, turns: number): Promise<Fixed> {
  const longest = Math.max(image.naturalWidth, image.naturalHeight)
  if (original.type === 'image/png' && longest <= LONG_SIDES[0]!) {
    const canvas = drawn(image, 1, turns)
    const blob = await encoded(canvas, 'image/png')
    if (blob.size <= LARGEST_BYTES) return outcome(blob, canvas, original, longest)
  }
  let hopeless = Infinity
  for (const side of sides(longest)) {
    if (side > hopeless) continue
    const canvas = drawn(image, side / longest, turns)
    const least = side > LEAST_LONG_SIDE ? FAIR_QUALITY : LEAST_QUALITY
    const blob = await smallEnough(canvas, least)
    if (blob.size <= LARGEST_BYTES) return outcome(blob, canvas, original, longest)
    // Its weight goes with the area, nearly: sizes that can't do are not tried.
    hopeless = Math.max(LEAST_LONG_SIDE, side * Math.sqrt(LARGEST_BYTES / blob.size) * 1.1)
  }
  throw new Error('no size is small enough')
}

function sides(longest: number): number[] {
  return longest <= LONG_SIDES[0]! ? [longest, ...LONG_SIDES.filter((side) => side < longest)] : LONG_SIDES
}

/** The best quality that fits, or the least one if not even that does. */
async function smallEnough(canvas: HTMLCanvasElement, least: number): Promise<Blob> {
  const best = await encoded(canvas, 'image/jpeg', BEST_QUALITY)
  if (best.size <= LARGEST_BYTES) return best
  let fits = await encoded(canvas, 'image/jpeg', least)
  if (fits.size > LARGEST_BYTES) return fits
  let low = least
  let high = BEST_QUALITY
  for (let step = 0; step < STEPS; step += 1) {
    const quality = (low + high) / 2
    const blob = await encoded(canvas, 'image/jpeg', quality)
    if (blob.size <= LARGEST_BYTES) [low, fits] = [quality, blob]
    else high = quality
  }
  return fits
}

function drawn(image: HTMLImageElement, scale: number, turns: number): HTMLCanvasElement {
  const width = Math.max(1, Math.round(image.naturalWidth * scale))
  const height = Math.max(1, Math.round(image.naturalHeight * scale))
  const canvas = document.createElement('canvas')
  canvas.width = turns % 2 ? height : width
  canvas.height = turns % 2 ? width : height
  const pen = canvas.getContext('2d', { alpha: false })
  if (pen === null) throw new Error('no canvas')
  // What is transparent would turn black in a JPEG.
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  pen.imageSmoothingQuality = 'high'
  pen.translate(canvas.width / 2, canvas.height / 2)
  pen.rotate((turns * Math.PI) / 2)
  pen.drawImage(image, -width / 2, -height / 2, width, height)
  return canvas
}

function encoded(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no image came out'))), type, quality)
  })
}

function outcome(blob: Blob, canvas: HTMLCanvasElement, original: File, longest: number): Fixed {
  const { width, height } = canvas
  const ending = blob.type === 'image/png' ? 'png' : 'jpg'
  const name = `${original.name.replace(/\.[^.]*$/, '') || 'image'}.${ending}`
  const coarse = Math.max(width, height) < Math.min(LEAST_LONG_SIDE, longest)
  return { file: new File([blob], name, { type: blob.type }), width, height, coarse }
}
