/** Words of the members' page. */
import { words } from '@shared/locale'

const zh = {
  open: '开通账号',
  login: '工号',
  loginHint: '数字、字母和 . _ @ -，最多 64 个字符。',
  name: '姓名',
  password: '初始密码',
  passwordHint: '至少 8 个字符。请当面告知本人。',
  newPassword: '新密码',
  newPasswordHint: '不填则不变。修改后该人员须重新登录。',
  subject: '{name}的用户标识（选填）',
  subjectHint: '填写后可用统一登录；不设密码时只能用统一登录。',
  role: '角色',
  scope: '范围',
  second: '双重验证',
  on: '已开启',
  off: '未开启',
  state: '状态',
  active: '正常',
  closed: '已停用',
  lastSeen: '最近使用（北京时间）',
  change: '修改',
  changeOf: '修改 {name} 的账号',
  myself: '本人',
  activeLabel: '账号可以使用',
  resetLabel: '重置双重验证（本人须重新开启）',
  atOnce: '修改从该人员的下一次操作起生效。',
  saved: '{name} 的账号已保存。',
}

export type MembersWords = Record<keyof typeof zh, string>

export const m = words(zh, () => import('./words.members.en'))
