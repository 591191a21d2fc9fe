/** The editor, saved messages and the palette, in Chinese. */

import type { Dictionary } from './dictionary';

export const editor: Dictionary = {
  // Saved messages
  Collection: '集合',
  'Without collection': '未归入集合',
  'Export {name}': '导出 {name}',
  'Import messages': '导入消息',
  '{count} message imported.': '已导入 {count} 条消息。',
  '{count} messages imported.': '已导入 {count} 条消息。',
  'The file holds no messages that this page exported': '文件中没有由此页面导出的消息',
  'The file is of another version of this page': '文件来自此页面的其他版本',
  'The file holds no messages': '文件中没有消息',
  '{path} must be {expected}. Nothing was imported.': '{path} 必须是{expected}。未导入任何内容。',
  text: '文本',
  'a number': '数字',
  'true or false': 'true 或 false',
  'an object': '对象',
  'a list of pairs of text': '文本对的列表',
  '0, 1 or 2': '0、1 或 2',
};
