/** The fleet in Chinese. */

export const fleet = {
  Fleet: '设备群',
  'Show fleet': '显示设备群',
  'State of the fleet': '设备群状态',
  'Not started': '未开始',
  Starting: '正在启动',
  Running: '运行中',
  'Stopping: waiting for messages in flight': '正在停止：等待在途消息',
  Ended: '已结束',
  Failed: '失败',
  'Choose a broker above.': '请先在上方选择 Broker。',
  'Devices go to {address}': '设备连接到 {address}',
  'Reconnect storm': '重连风暴',
  'Cuts all connections at once; all devices reconnect at once': '同时切断所有连接，所有设备同时重连',
  'Stop now': '立即停止',
  Start: '开始',

  // Before it goes to the internet
  'Load a broker on the internet?': '要对互联网上的 Broker 施加负载吗？',
  '{devices} clients connect to {address} and publish up to {rate} messages a second together.':
    '{devices} 个客户端将连接到 {address}，合计每秒最多发布 {rate} 条消息。',
  'It is public: others use it too, and can read what the devices send. At most {count} devices.':
    '它是公共的：其他人也在使用，并且能看到设备发送的内容。最多 {count} 台设备。',
  'Do this only if its operator agrees. It may cost money and affect others.':
    '请仅在其运营者同意时进行。这可能产生费用，也可能影响他人。',
  'Start the fleet': '启动设备群',

  'This is the subscriber that measures. The fleet can run without it.':
    '这是用于测量的订阅者。没有它，设备群也可以运行。',

  'The script has ended the fleet': '脚本已结束设备群',
  'Stopped: {reason}': '已停止：{reason}',
  'What was sent before is counted. Fix the script and start again.':
    '此前发送的消息已计入。请修正脚本后重新开始。',

  // What the devices do
  'What the devices do': '设备的行为',
  Devices: '设备数',
  'Messages a second, each': '每台每秒消息数',
  'Stop after, seconds': '运行时长（秒）',
  'Browsers limit how many WebSockets are open at once: Chromium 255, Firefox 200. Further devices fail and try again.':
    '浏览器同时打开的 WebSocket 数量有限：Chromium 255 个，Firefox 200 个。超出的设备会失败并重试。',
  'In client IDs, topics and payloads: {places}': '可用于客户端 ID、主题和载荷：{places}',
  'Messages by': '消息来自',
  Template: '模板',
  Script: '脚本',
  'Returns {message}, and is given: {names}': '返回 {message}，并得到：{names}',
  '0, 1 and 2 in turn': '0、1、2 轮流',
  'Jitter, ± percent': '间隔抖动，± 百分比',
  'Clocks off by, ± seconds': '时钟偏差，± 秒',
  'Connections a second': '每秒建立的连接数',
  'Measure round trip and loss with a subscriber': '用一个订阅者测量往返时间和丢失',
  Trouble: '故障',
  'Drop-outs a minute, each': '每台每分钟掉线次数',
  'Away for, seconds': '掉线时长（秒）',
  none: '无',
  'Reconnect storm every, seconds': '重连风暴间隔（秒）',

  // What is wrong with it
  'A whole number from {least} to {most}': '{least} 到 {most} 之间的整数',
  'A number from {least} to {most}': '{least} 到 {most} 之间的数字',
  'Not known: {places}': '无法识别：{places}',
  'Devices with the same client ID disconnect each other: write {place} in it':
    '客户端 ID 相同的设备会互相踢下线：请在其中写入 {place}',
  'At most {count} bytes': '最多 {count} 字节',
  'At most {count} characters': '最多 {count} 个字符',
  'All devices together send too much: at most {count} messages and {size} MiB a second':
    '所有设备合计发送过多：每秒最多 {count} 条消息和 {size} MiB',
  '0, or at least {seconds}': '0，或不小于 {seconds}',
  'At most {count} at a public broker, which others use too': '公共 Broker 上最多 {count} 台，其他人也要使用',
  'At most {count} messages a second of all devices at a public broker':
    '公共 Broker 上所有设备合计每秒最多 {count} 条消息',
  'At a public broker it must begin with a level of your own: you would get everybody’s messages':
    '在公共 Broker 上必须以您自己的层级开头，否则会收到所有人的消息',

  // How it goes
  'Figures of the fleet': '设备群数据',
  Connected: '已连接',
  '{count} of {all}': '{count} / {all}',
  Connecting: '正在连接',
  Away: '离线',
  Refused: '被拒绝',
  'Sent, on average': '平均发送',
  'Received, on average': '平均接收',
  'Round trip, p50': '往返时间 p50',
  'Round trip, p99': '往返时间 p99',
  Time: '用时',
  'Acknowledged in, p50': '确认时间 p50',
  'Acknowledged in, p99': '确认时间 p99',
  'Drop-outs': '掉线次数',
  'Wills received': '收到的遗嘱',
  'Reconnect storms': '重连风暴次数',
  'Back from the last storm': '上次风暴后恢复',
  '{count} in {time}': '{count} 台，用时 {time}',
  'Not sent': '未发送',
  'Left out: too many were still unacknowledged or not yet received, or the browser was too slow':
    '被略过：尚未确认或尚未收到的消息过多，或浏览器过慢',
  'Gaps of the subscriber': '订阅者断线次数',
  'How often the subscriber lost its own connection: what it missed counts as lost':
    '订阅者自身连接断开的次数：其间错过的消息计为丢失',
  Acknowledged: '已确认',
  'Not acknowledged': '未确认',
  'On the way': '在途',
  Lost: '丢失',
  Duplicates: '重复',
  Late: '乱序',
  'Problems by reason': '按原因统计的问题',
  Problem: '问题',
  Reason: '原因',
  Times: '次数',
  'Connection lost': '连接断开',
  'Not published': '未发布',
  'Subscriber’s connection lost': '订阅者连接断开',
  'Charts of the fleet': '设备群图表',
};
