/** The editor, saved messages and the palette, in Chinese. */

export const editor = {
  // The editor
  'Topics seen so far': '已出现的主题',
  'Payload format': '载荷格式',
  Format: '格式化',
  'Lays JSON out, a value to a line': '整理 JSON，每行一个值',
  Editor: '编辑器',
  'Colours, line numbers and brackets for longer payloads': '语法着色、行号与括号匹配，适合较长的载荷',

  // Saved messages
  Collection: '集合',
  'Without collection': '未归入集合',
  'Export {name}': '导出 {name}',
  'Import messages': '导入消息',
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

  // The palette
  'Find a command, topic or profile': '查找命令、主题或配置',
  'Find a command, topic or profile (Ctrl+K)': '查找命令、主题或配置（Ctrl+K）',
  'Command, topic or profile': '命令、主题或配置',
  Found: '查找结果',
  'Nothing matches.': '没有匹配项。',
  '{count} more: type more to find them.': '还有 {count} 项：继续输入以查找。',
  Profile: '配置',

  // Keys
  'Skip to messages': '跳到消息',
  'Bring back an earlier payload': '找回之前的载荷',
  'Subscribe to a topic filter': '订阅主题过滤器',
  'Record messages, or see what was recorded': '录制消息，或查看已录制的内容',
  Views: '视图',
  'Show broker': '显示 Broker',
  'Show packets': '显示报文',
  'Open a new connection': '打开新连接',
};
