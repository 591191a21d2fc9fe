/** Scripts, in Chinese. */

export const scripts = {
  Scripts: '脚本',
  'Show scripts': '显示脚本',
  'New script': '新建脚本',
  'Import scripts': '导入脚本',
  'Export all': '全部导出',
  'Allow notifications': '允许通知',
  Notifications: '通知',
  'This browser blocks notifications from this page. Allow them in its settings for this site.':
    '此浏览器阻止了本页面的通知。请在浏览器的网站设置中允许通知。',
  'Browsers show notifications only for pages opened over https. Alerts still mark their rows.':
    '浏览器只为通过 https 打开的页面显示通知。警报仍会标记其所在的行。',
  'No scripts yet': '还没有脚本',
  'A script decodes, answers or watches messages. It stays in this browser.':
    '脚本可以解码、应答或监视消息。它只保存在此浏览器中。',
  'Run {name}': '运行 {name}',
  On: '开启',
  off: '关闭',
  starting: '正在启动',
  'waits for {broker}': '等待 {broker}',
  'imported: look at it before you switch it on': '已导入：开启前请先查看',
  '{count} published': '已发布 {count} 条',
  '{count} not published': '{count} 条未发布',
  '{count} left out: too many at once': '略过 {count} 条：一次来得太多',
  'It came from a file. Read its code, and then switch it on.': '它来自文件。请先阅读代码，再开启。',
  'I have read it: switch it on': '我已阅读：开启',
  '{count} scripts imported, switched off.': '已导入 {count} 个脚本，处于关闭状态。',
  'Scripts that are on were switched on for another broker, and run only there.':
    '已开启的脚本是为另一个 Broker 开启的，只在那里运行。',

  // One script
  Code: '代码',
  'Publishes per second, at most': '每秒最多发布',
  'A whole number from 0 to {count}': '0 到 {count} 之间的整数',
  'There is already one with this name': '已有同名脚本',
  'Switch it off to rename it.': '关闭后才能改名。',
  'Restart with the changes': '以改动后的代码重新启动',
  '“{name}” is empty': '“{name}”是空的',
  '“{name}” is longer than {count} characters': '“{name}”超过 {count} 个字符',
  '“{name}”: its topic filter is not valid': '“{name}”：主题过滤器无效',
  'Its scripts are not kept. {why}': '未保存其中的脚本。{why}',
  'The scripts in the file are not a list': '文件中的脚本不是列表',
  'The file holds more than {count} scripts': '文件中的脚本超过 {count} 个',
  'Script {number} in the file: “{field}” is missing or not text':
    '文件中第 {number} 个脚本：缺少“{field}”，或不是文本',

  // Examples
  'Empty script': '空脚本',
  'Auto-reply': '自动应答',
  'Threshold alert': '阈值警报',
  'Unit conversion': '单位换算',
  'Binary decoder': '二进制解码器',

  // What they do
  Log: '日志',
  'Script log': '脚本日志',
  'What scripts log appears here.': '脚本的日志显示在这里。',
  '{text} (line {line})': '{text}（第 {line} 行）',
  'Stopped: it took longer than {count} ms': '已停止：耗时超过 {count} 毫秒',
  'Stopped: it exceeded its memory limit': '已停止：所需内存超过上限',
  'Stopped: a call did not end within {count} s': '已停止：一次调用 {count} 秒仍未结束',
  'Not started: its engine could not be loaded ({reason})': '未启动：无法加载脚本引擎（{reason}）',
  'Not started: {reason}': '未启动：{reason}',
  'Not started: {count} scripts are already running': '未启动：已有 {count} 个脚本在运行',
  'Restarted, because another script hung': '已重新启动，因为另一个脚本停止响应',
  'Not published: {why}': '未发布：{why}',
  'Left out, over the limit for one second: {what}': '已略过，超出每秒的上限：{what}',
  '{count} publishes': '{count} 次发布',
  '{count} alerts': '{count} 个警报',
  '{count} lines of the log': '{count} 行日志',

  // Dry run
  'Dry run': '试运行',
  'On the message': '用于消息',
  'the next that matches': '下一条匹配的消息',
  'Newest messages': '最新消息',
  'Running…': '正在运行…',
  'It returned no value.': '没有返回值。',
  'No message in the feed matches its topic filter yet.': '列表中还没有与其主题过滤器匹配的消息。',
  'Runs it once, on its own. Nothing is published.': '单独运行一次，不会发布任何消息。',
  'would publish to {topic}: {payload}': '将发布到 {topic}：{payload}',
};
