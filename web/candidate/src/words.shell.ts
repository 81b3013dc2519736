/** Words of the frame around every page. */
import { words } from '@shared/locale'

const zh = {
  name: '报审',
  title: '考生报名材料上报',
  skip: '跳到主要内容',
  loading: '正在读取…',
  again: '重试',
  logOut: '退出',
  tabs: '栏目',
  home: '首页',
  registration: '考试报名',
  photo: '报名照片',
  scores: '考试成绩',
  tests: '在线评测',
  payments: '缴费记录',
  profile: '个人信息',
  messages: '消息',
  login: '登录',
  unread: '{n} 条未读',
}

export type Words = Record<keyof typeof zh, string>

export const s = words(zh, () => import('./words.shell.en'))
