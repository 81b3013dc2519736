/** Words of the ways in, and of the second factor. */
import { words } from '@shared/locale'

const zh = {
  login: '工号',
  password: '密码',
  show: '显示密码',
  enter: '登录',
  entering: '正在登录…',
  code: '动态验证码',
  codeHint: '请输入身份验证器应用显示的 6 位数字。',
  recovery: '恢复码',
  recoveryHint: '开启双重验证时保存的恢复码，每个只能使用一次。',
  useRecovery: '无法使用验证器？改用恢复码',
  useCode: '改用动态验证码',
  back: '换一个账号',
  or: '或',
  oidc: '使用{name}登录',
  oidcAgain: '将在新标签页中登录；登录后回到本页即可继续。',
  problem_other: '统一登录没有成功，请重试；仍不成功请联系考区管理员。',
  'problem_oidc-denied': '您取消了统一登录。',
  'problem_oidc-refused': '统一登录返回的信息未通过校验，请重新点击登录；仍不成功请联系考区管理员。',
  'problem_oidc-unknown-account': '您还没有本系统的账号，请联系考区管理员开通。',
  'problem_oidc-not-set-up': '本系统未接入统一登录，请用账号密码登录。',
  'problem_oidc-state-wrong': '登录已过期或重复，请重新点击登录。',
  'problem_oidc-unavailable': '统一登录暂时不可用，请稍后再试。',
  'problem_account-closed': '该账号已停用，请联系考区管理员。',
  'problem_too-often': '您所在网络的登录操作过于频繁，请等待约一分钟后再试。',
}

export type LoginWords = Record<keyof typeof zh, string>

export const l = words(zh, () => import('./words.login.en'))

/** For a problem's code that has no words of its own. */
export function lOr(key: string): string {
  return l(key in zh ? (key as keyof LoginWords) : 'problem_other')
}
