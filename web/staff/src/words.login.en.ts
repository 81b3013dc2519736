import type { LoginWords } from './words.login'

export default {
  login: 'Login',
  password: 'Password',
  show: 'Show password',
  enter: 'Log in',
  entering: 'Logging in…',
  code: 'Code',
  codeHint: 'The six digits that your authenticator app shows.',
  recovery: 'Recovery code',
  recoveryHint: 'One of those that you kept when you turned the second factor on. Each works once.',
  useRecovery: 'No authenticator at hand? Use a recovery code',
  useCode: 'Use the authenticator’s code',
  back: 'Another account',
  or: 'or',
  oidc: 'Log in with {name}',
  oidcAgain: 'It opens in a new tab. Come back to this one when you are logged in.',
  problem_other: 'The login with your provider failed. Try again, or ask the region’s administrator.',
  'problem_oidc-denied': 'The identity provider did not let you through. Try again.',
  'problem_oidc-refused':
    'The identity provider’s answer could not be trusted. Begin again; if that does not help, ask the region’s administrator.',
  'problem_oidc-unknown-account': 'There is no account for you here. Ask the region’s administrator to open one.',
  'problem_oidc-not-set-up': 'No identity provider is set up here. Log in with your password.',
  'problem_oidc-state-wrong': 'This login has ended, or was used already. Begin again.',
  'problem_oidc-unavailable': 'The identity provider does not answer now. Try again later.',
  'problem_account-closed': 'This account is closed. Ask the region’s administrator.',
  'problem_too-often': 'Too many logins from your network. Wait about a minute, then try again.',
} satisfies LoginWords
