import { pages } from '../vite.shared'

export default pages('/')
