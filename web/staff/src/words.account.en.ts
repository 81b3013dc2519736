import type { AccountWords } from './words.account'

export default {
  mustTitle: 'Turn on the second factor first',
  mustText:
    'Your account needs a second factor before you can work here. Have a phone with an authenticator app ready.',
  name: 'Name',
  role: 'Role',
  scope: 'Scope',
  second: 'Second factor',
  on: 'On',
  onText:
    'Logging in takes the six digits of your authenticator app besides the password. For a new phone, ask the region’s administrator to reset it.',
  offText: 'Off. Once it is on, logging in takes the six digits of your authenticator app besides the password.',
  begin: 'Turn it on',
  step1: 'Install any authenticator app (TOTP) on your phone.',
  step2: 'Scan this code with it:',
  step3: 'Type the six digits that it shows:',
  qr: 'QR code of the second factor',
  byHand: 'If you can’t scan it, type the secret:',
  code: 'Six digits',
  codeHint: 'The six digits that the authenticator app shows',
  confirm: 'Confirm',
  renew: 'New recovery codes',
  renewText: 'Type the six digits of your authenticator app. The earlier recovery codes stop working.',
  codesTitle: 'Recovery codes',
  codesText:
    'Without your phone, a recovery code lets you in instead; each works once. They are shown this once: keep them safe.',
  copy: 'Copy',
  copied: 'Copied',
  print: 'Print',
  kept: 'I have kept them',
} satisfies AccountWords
