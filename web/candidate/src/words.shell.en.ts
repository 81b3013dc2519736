import type { Words } from './words.shell'

export default {
  name: 'Baoshen',
  title: 'Application papers',
  skip: 'Skip to content',
  loading: 'Loading…',
  again: 'Try again',
  logOut: 'Log out',
  tabs: 'Sections',
  home: 'Home',
  registration: 'Registration',
  photo: 'Photo',
  scores: 'Scores',
  tests: 'Online tests',
  payments: 'Payments',
  profile: 'Profile',
  messages: 'Messages',
  login: 'Log in',
  unread: '{n} unread',
} satisfies Words
