/** Whether a chosen file can be a portrait to check, or a photo that was checked; found out before it is sent. */
import { look } from './inspect'
import { f, type Words } from './words.photo'

/** 10 MB read as 10 × 1024 × 1024, as the service reads it. */
const LARGEST_BYTES = 10_485_760
const HEAD_BYTES = 64
const FTYP = 0x66747970
/** The kinds that phones' cameras write; what else stands in such a box is another format. */
const HEIC = /^(hei[cfmsx]|hev[cmsx]|mif1|msf1)$/

type Kind = 'jpeg' | 'png' | 'heic' | 'other'

async function kindOf(file: File): Promise<Kind> {
  const head = new DataView(await file.slice(0, HEAD_BYTES).arrayBuffer())
  if (head.byteLength >= 12 && head.getUint32(4) === FTYP) {
    const brand = String.fromCharCode(...[8, 9, 10, 11].map((at) => head.getUint8(at)))
    return HEIC.test(brand) ? 'heic' : 'other'
  }
  return head.byteLength >= 4 ? look(head).format : 'other'
}

/** Why a file is not taken, in the language that the reader has just then. */
export interface Why {
  code: string
  words: () => string
}

function refused(code: keyof Words, values: Record<string, string | number> = {}): Why {
  return { code, words: () => f(code, values) }
}

/** Why the file can't be checked. */
export async function whyNot(file: File): Promise<Why | null> {
  if (file.size === 0) return refused('empty')
  const kind = await kindOf(file).catch(() => null)
  if (kind === null) return refused('unreadable')
  if (kind === 'heic') return refused('heic')
  if (kind === 'other') return refused('format')
  return file.size > LARGEST_BYTES ? refused('large', { mb: (file.size / 1e6).toFixed(1) }) : null
}

/** Why the file can't be a photo that passed a check. */
export async function whyNotChecked(file: File, fewerBytesThan: number): Promise<Why | null> {
  const kind = await kindOf(file).catch(() => null)
  if (kind === null) return refused('unreadable')
  if (kind !== 'jpeg') return refused('byFileFormat')
  if (file.size < fewerBytesThan) return null
  return refused('byFileLarge', { kb: Math.round(file.size / 1000), most: fewerBytesThan / 1000 })
}
