/** Words of the ways in. */
import { words } from '@shared/locale'

const zh = {
  headline: '考生报名材料上报',
  lead: '上传报名材料、提交审核、查看反馈和终审意见。',
  title: '登录',
  label: '报名编号或证件号码',
  hint: '与网上报名时使用的账号和密码相同；首次登录须激活。',
  endedTitle: '请重新登录',
  endedText: '登录已过期。重新登录后可继续操作，页面上的内容不会丢失。',
  activateTitle: '首次登录，请激活',
  activateLead: '将使用考试报名系统的账号进入报审。激活即表示您授权报审：',
  grant1: '读取您的报名信息（姓名、证件号码、手机号码、报考类别、学历等）',
  grant2: '仅用于本次考试报名资格审核',
  account: '报名账号',
  other: '换一个账号',
  activate: '授权并进入',
  activating: '正在激活…',
  captcha: '验证码',
  captchaHint: '请输入图中的字符，不分大小写；看不清可以换一张，也可以听语音。',
  captchaAlt: '验证码图片。看不见图片时，请使用“语音验证码”。',
  captchaWait: '正在读取验证码…',
  captchaNew: '换一张',
  captchaListen: '语音验证码',
  captchaAudio: '播放语音验证码',
  captchaChanged: '已换新的验证码',
}

export type Words = Record<keyof typeof zh, string>

export const l = words(zh, () => import('./words.login.en'))
