import { pages } from '../vite.shared.ts'

export default pages('/console/')
