/** What a chosen file is, from its first bytes: whether the service would take it, and whether it would lie askew. */
import type { Need } from './uploads'

export const LARGEST_BYTES = 204_800
const MOST_PIXELS = 25_000_000
/** An EXIF block has at most 64 KB, and stands before the picture. */
const LOOKED_AT_BYTES = 131_072
const JPEG = 0xffd8
const PNG = 0x89504e47

export interface Found {
  format: 'jpeg' | 'png' | 'other'
  /** EXIF: 1 is upright. Those who do not read EXIF see the image turned if it is another. */
  orientation: number
  pixels: number
}

export async function inspect(file: File): Promise<Need[]> {
  const found = look(new DataView(await file.slice(0, LOOKED_AT_BYTES).arrayBuffer()))
  const needs: Need[] = []
  if (found.format === 'other') needs.push('format')
  if (file.size > LARGEST_BYTES) needs.push('large')
  if (found.pixels > MOST_PIXELS) needs.push('pixels')
  if (found.orientation !== 1) needs.push('turned')
  return needs
}

/** Whether this browser can show it. */
export async function opens(url: string): Promise<boolean> {
  const image = new Image()
  image.src = url
  return image.decode().then(
    () => true,
    () => false,
  )
}

export function look(bytes: DataView): Found {
  const found: Found = { format: 'other', orientation: 1, pixels: 0 }
  try {
    if (bytes.getUint16(0) === JPEG) walkJpeg(bytes, Object.assign(found, { format: 'jpeg' }))
    else if (bytes.getUint32(0) === PNG) walkPng(bytes, Object.assign(found, { format: 'png' }))
  } catch (error) {
    // It ended in the middle: what was found until then has to do, the service looks at the whole.
    if (!(error instanceof RangeError)) throw error
  }
  return found
}

function walkJpeg(bytes: DataView, found: Found): void {
  for (let at = 2; at < bytes.byteLength;) {
    const marker = bytes.getUint16(at)
    if (marker >> 8 !== 0xff || marker === 0xffda) return
    if (marker === 0xffe1 && bytes.getUint32(at + 4) === 0x45786966) found.orientation = turn(bytes, at + 10)
    // The frame headers, but not the tables that lie between their numbers.
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      found.pixels = bytes.getUint16(at + 5) * bytes.getUint16(at + 7)
    }
    at += 2 + bytes.getUint16(at + 2)
  }
}

function walkPng(bytes: DataView, found: Found): void {
  found.pixels = bytes.getUint32(16) * bytes.getUint32(20)
  for (let at = 8; at < bytes.byteLength; at += 12 + bytes.getUint32(at)) {
    const kind = bytes.getUint32(at + 4)
    if (kind === 0x49444154) return // the picture begins
    if (kind === 0x65584966) found.orientation = turn(bytes, at + 8)
  }
}

/** The orientation in a TIFF directory, as EXIF has it. */
function turn(bytes: DataView, start: number): number {
  const little = bytes.getUint16(start) === 0x4949
  const directory = start + bytes.getUint32(start + 4, little)
  const count = bytes.getUint16(directory, little)
  for (let entry = 0; entry < count; entry += 1) {
    const at = directory + 2 + entry * 12
    if (bytes.getUint16(at, little) !== 0x0112) continue
    const said = bytes.getUint16(at + 8, little)
    return said >= 1 && said <= 8 ? said : 1
  }
  return 1
}
