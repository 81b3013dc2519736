/** Words of the page of one's own account. */
import { words } from '@shared/locale'

const zh = {
  mustTitle: '请先开启双重验证',
  mustText: '您的账号须开启双重验证后才能使用审核工作台。请准备一部安装了身份验证器应用的手机。',
  name: '姓名',
  role: '角色',
  scope: '范围',
  second: '双重验证',
  on: '已开启',
  onText: '登录时除密码外还须输入验证器应用显示的 6 位数字。更换手机时，请考区管理员重置后重新开启。',
  offText: '尚未开启。开启后，登录时除密码外还须输入验证器应用显示的 6 位数字。',
  begin: '开启双重验证',
  step1: '在手机上安装任一身份验证器应用（支持 TOTP）。',
  step2: '用它扫描二维码：',
  step3: '输入应用显示的 6 位数字：',
  qr: '双重验证二维码',
  byHand: '不能扫描时，手动输入密钥：',
  code: '6 位数字',
  codeHint: '验证器应用显示的 6 位数字',
  confirm: '确认',
  renew: '重新生成恢复码',
  renewText: '请输入验证器应用显示的 6 位数字。重新生成后，以前的恢复码全部作废。',
  codesTitle: '恢复码',
  codesText: '手机不在身边时，可用恢复码代替动态验证码登录，每个只能使用一次。恢复码只显示这一次，请妥善保存。',
  copy: '复制',
  copied: '已复制',
  print: '打印',
  kept: '我已保存',
}

export type AccountWords = Record<keyof typeof zh, string>

export const a = words(zh, () => import('./words.account.en'))
