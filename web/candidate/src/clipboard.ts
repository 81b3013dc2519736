/** Images on the clipboard, where the browser lets the page look. */
export async function clipboardImages(): Promise<File[]> {
  const files: File[] = []
  for (const each of await navigator.clipboard.read()) {
    const type = each.types.find((name) => name.startsWith('image/'))
    if (type) files.push(new File([await each.getType(type)], `image.${type.slice(6)}`, { type }))
  }
  return files
}
