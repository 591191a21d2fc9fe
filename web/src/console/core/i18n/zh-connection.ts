/** The connection in Chinese: its form, how it stands, and what went wrong. */

export const connection = {
  // Several at once
  'Connection {number}': '连接 {number}',
  Connections: '连接',
  'New connection, beside this one': '在当前连接之外再连接一个 Broker',
  'Another broker': '其他 Broker',
  'Close {name}': '关闭 {name}',
  'publishing repeatedly': '正在重复发布',
  'Publishing repeatedly': '正在重复发布',

  'Still using “{broker}” instead of “{first}”': '仍在使用“{broker}”代替“{first}”',
  '“{first}” could not be reached before the page was reloaded.': '页面重新加载之前无法连接“{first}”。',
  'Not connected again: passwords are not kept when the page is reloaded':
    '未重新连接：页面重新加载后不会保留密码',
  'Fill in the password under Settings, Options and press Connect, or keep it in a profile.':
    '请在“设置”的“选项”中填写密码并点击“连接”，或将其保存到配置中。',

  // The brokers that are offered where nobody else named them
  'This server': '本服务器',
  'EMQX public broker': 'EMQX 公共 Broker',
  'HiveMQ public broker': 'HiveMQ 公共 Broker',
  'Mosquitto test broker': 'Mosquitto 测试 Broker',

  // How it stands
  connected: '已连接',
  connecting: '正在连接',
  'loading the client': '正在加载客户端',
  reconnecting: '正在重连',
  disconnected: '已断开',
  'reconnecting, attempt {attempt}': '正在重连，第 {attempt} 次尝试',
  'Next attempt in {seconds} s': '{seconds} 秒后重试',
  'Try now': '立即重试',
  'Round-trip time: from PINGREQ to the broker’s PINGRESP, every 5 seconds':
    '往返时间：从 PINGREQ 到 Broker 的 PINGRESP，每 5 秒测量一次',
  'Round-trip time': '往返时间',
  'Round-trip time {spread}': '往返时间 {spread}',
  'Round-trip time {spread}, {count} unanswered': '往返时间 {spread}，{count} 次无响应',
  'Round-trip times, one every {seconds} seconds: {words}': '往返时间，每 {seconds} 秒一次：{words}',
  '{least} to {most}, median {median}': '{least} 至 {most}，中位数 {median}',
  'no answer': '无响应',

  // The form
  'Broker settings': 'Broker 设置',
  Custom: '自定义',
  'Broker URL': 'Broker 地址',
  'wss://host:port/mqtt': 'wss://主机:端口/mqtt',
  Connect: '连接',
  Disconnect: '断开',
  Options: '选项',
  Profiles: '配置',
  Session: '会话',
  Share: '分享',

  // Options
  'User name': '用户名',
  Password: '密码',
  'Client ID': '客户端 ID',
  random: '随机',
  'Keep alive (s)': '心跳间隔（秒）',
  'Clean start': '全新开始（Clean Start）',
  'Subscribe to a topic of the page’s own': '订阅此页面自己的主题',
  'Session, limits and authentication': '会话、限制和认证',
  'Session expiry (s)': '会话过期间隔（秒）',
  'Receive maximum': '接收最大值',
  'Max. packet size (B)': '最大报文长度（字节）',
  'Topic alias maximum': '主题别名最大值',
  'Use topic aliases when sending': '发送时使用主题别名',
  'Ask for response information': '请求响应信息',
  'Ask for problem information': '请求问题信息',
  'Keep the session in this browser (needs a client ID)': '在此浏览器中保存会话（需要客户端 ID）',
  'Share one connection between tabs': '多个标签页共用一个连接',
  'Authentication method': '认证方法',
  'Authentication data': '认证数据',
  'SCRAM-SHA-256 with user name and password': '以用户名和密码进行 SCRAM-SHA-256 认证',
  'Last will': '遗嘱消息',
  set: '已设置',
  'The broker publishes it when this connection is lost. Without a topic there is none.':
    '此连接意外断开时，Broker 会发布遗嘱消息。不填主题则没有遗嘱。',
  'Will topic': '遗嘱主题',
  'Will payload': '遗嘱载荷',
  'Will QoS': '遗嘱 QoS',
  'Delay (s)': '延迟（秒）',
  'Retain the will': '保留遗嘱消息',

  // Profiles
  Use: '使用',
  'with password': '含密码',
  'Open in new connection': '在新连接中打开',
  'Open {name} in new connection': '在新连接中打开 {name}',
  'No profiles yet. Save what the form holds, or import a file.': '暂无配置。可保存表单内容，或导入文件。',
  'Save the settings as': '将设置保存为',
  'Save password (unencrypted)': '保存密码（未加密）',
  'Saved “{name}”.': '已保存“{name}”。',
  '{count} imported.': '已导入 {count} 个。',
  '{count} scripts': '{count} 个脚本',
  '{count} scripts came along, switched off: read their code under Scripts before you switch them on.':
    '随附 {count} 个脚本，处于关闭状态：开启前请先在“脚本”中阅读其代码。',
  '{count} scripts are here already.': '{count} 个脚本已存在。',
  'Exported with {scripts}.': '已导出，含 {scripts}。',
  'Import profiles': '导入配置',
  'Fill in a ws: or wss: address first': '请先填写 ws: 或 wss: 地址',
  'The file is larger than any that this page exports': '文件大于此页面导出的任何文件',
  'The file is not JSON': '文件不是 JSON',
  'The file was not exported by this page': '文件不是由此页面导出的',
  'The file holds no profile with a ws: or wss: address': '文件中没有含 ws: 或 wss: 地址的配置',

  // What the broker granted
  'What the broker granted': 'Broker 授予的会话参数',
  'Not connected. What the broker grants is shown here once there is a connection.':
    '未连接。连接后，Broker 授予的参数将显示在这里。',
  continued: '已恢复',
  new: '新建',
  'Session expires after': '会话过期间隔',
  'Keep alive': '心跳间隔',
  '{count} s': '{count} 秒',
  'Maximum QoS': '最大 QoS',
  'Maximum packet size': '最大报文长度',
  'no limit stated': '未声明限制',
  'Wildcard subscriptions': '通配符订阅',
  'Subscription identifiers': '订阅标识符',
  'Shared subscriptions': '共享订阅',
  available: '可用',
  'not available': '不可用',
  'Response information': '响应信息',
  'Server reference': '服务端参考',
  'User property {name}': '用户属性 {name}',

  'What the broker does not offer': 'Broker 不提供的功能',
  'No QoS 2: such messages are refused here before they are sent. A subscription that asks for QoS 2 gets QoS 1; from AWS IoT it gets no answer.':
    '没有 QoS 2：QoS 2 的消息在发送前就会被本页拒绝。请求 QoS 2 的订阅会得到 QoS 1；AWS IoT 则不作应答。',
  'QoS 0 only: subscriptions that ask for more get 0, and other messages are refused before they are sent.':
    '仅支持 QoS 0：请求更高 QoS 的订阅会得到 0，其他消息在发送前就会被拒绝。',
  'No retained messages: messages with Retain are refused before they are sent.':
    '没有保留消息：带 Retain 的消息在发送前就会被拒绝。',
  'No topic filters with + or #.': '不支持含 + 或 # 的主题过滤器。',
  'No shared subscriptions ($share/…).': '没有共享订阅（$share/…）。',
  'No subscription identifiers: the subscription that a message matches is worked out from its topic.':
    '没有订阅标识符：消息与哪个订阅匹配，由其主题推断。',

  // How it proves who it is
  Authentication: '认证',
  'User name and password, or none': '用户名和密码，或无',
  'AWS IoT: Signature Version 4': 'AWS IoT：签名版本 4',
  'AWS IoT: custom authorizer': 'AWS IoT：自定义授权方',
  'JSON Web Token (Azure Event Grid)': 'JSON Web Token（Azure 事件网格）',
  'Token from a URL': '来自 URL 的令牌',
  'JSON Web Token (enhanced authentication)': 'JSON Web Token（增强认证）',
  'Signed address of the broker': '已签名的 Broker 地址',
  Region: '区域',
  'such as eu-west-1': '例如 eu-west-1',
  'Access key ID': '访问密钥 ID',
  'Secret access key': '秘密访问密钥',
  'Session token, if any': '会话令牌（如有）',
  Authorizer: '授权方',
  'the endpoint’s own': '端点自身的',
  'Name of the token': '令牌的名称',
  Token: '令牌',
  'Signature, if checked': '签名（如需校验）',
  'Token URL, asked at each attempt': '令牌 URL，每次尝试时请求',
  'Use it as': '用作',
  'Expires {time}': '{time} 过期',
  'Expired {time}: get a new one': '已于 {time} 过期：请获取新的令牌',
  'Authenticate again': '重新认证',
  'The broker accepted the token.': 'Broker 已接受令牌。',
  'The token was not accepted. {why}': '令牌未被接受。{why}',
  'Browsers sign only on pages that came over https or from this computer.':
    '浏览器仅允许通过 https 加载或来自本机的页面进行签名。',
  'Secrets are never part of links or exported files, and are gone after a reload unless you keep them in a profile.':
    '密钥不会出现在链接或导出的文件中，重新加载后即消失，除非您将其保存在配置中。',
  'The token could not be renewed': '无法续订令牌',
  'The broker will end the connection when it expires. Trying again in a moment.':
    '令牌过期时 Broker 会断开连接。稍后将重试。',

  // Notices
  '{title}.': '{title}。',
  Dismiss: '关闭提示',
  'Try {broker} again': '重试 {broker}',
  'The broker does not have that QoS': 'Broker 不支持该 QoS',
  'Use QoS 1 or 0: the highest it takes is under Settings, Session.':
    '请使用 QoS 1 或 0：其最高 QoS 见“设置”中的“会话”。',
  'The connection reached the broker’s time limit': '连接已达到 Broker 的时长上限',
  'If a token was used, it has expired: connect again with a new one.':
    '如果使用的是令牌，则令牌已过期：请使用新的令牌重新连接。',
  'AWS IoT did not accept this client, and gave no reason': 'AWS IoT 未接受此客户端，且未说明原因',
  'Check the signature or token, the region, this computer’s clock, the path /mqtt, and that the policy allows iot:Connect for this client ID.':
    '请检查签名或令牌、区域、本机时钟、路径 /mqtt，以及策略是否允许此客户端 ID 执行 iot:Connect。',
  'AWS IoT closed the connection without a reason': 'AWS IoT 未说明原因就关闭了连接',
  'Possible causes: something the policy does not allow (the page’s own topic, perhaps: see Settings, Options), a $SYS topic, more than 8 topic filters at once, QoS 2, more than 128 KB, a second client with the same ID, or a connection that lasted a day. CloudWatch Logs tells which.':
    '可能的原因：策略不允许的操作（可能是本页自己的主题，见“设置”中的“选项”）、$SYS 主题、一次超过 8 个主题过滤器、QoS 2、超过 128 KB、另一个相同 ID 的客户端，以及连接满一天。具体原因见 CloudWatch 日志。',
  'The broker closed the connection without a reason': 'Broker 未说明原因就关闭了连接',
  'It may not allow a topic that was subscribed to or published to, or another client has the same client ID. The broker’s log says more.':
    '它可能不允许所订阅或发布的主题，或有另一个客户端使用相同的客户端 ID。详情见 Broker 的日志。',
  '{host} closed the connection right after CONNECT': '{host} 收到 CONNECT 后立即断开了连接',
  'It may speak MQTT 3.1.1 only, where this page speaks MQTT 5, or may not allow this client.':
    '它可能只支持 MQTT 3.1.1（本页使用 MQTT 5），或不允许此客户端。',
  'Event Grid did not accept the token': '事件网格未接受令牌',
  'Check that it has not expired, that its aud is https://eventgrid.azure.net/, and that its role allows topic spaces of this namespace.':
    '请检查令牌未过期、其 aud 为 https://eventgrid.azure.net/，且其角色允许此命名空间的主题空间。',
  'There is no token or signature to connect with': '没有可用于连接的令牌或签名',
  'Check the authentication under Settings, Options, and connect again.':
    '请在“设置”的“选项”中检查认证设置，然后重新连接。',
  'The connection was lost. {title}': '连接意外断开。{title}',
  '{title}. Using “{broker}” instead': '{title}。已改用“{broker}”',
  'Neither “{first}” nor “{second}” can be reached. {title}': '无法连接“{first}”和“{second}”。{title}',
  'The link that opened this page asks for {url}, which this server does not list':
    '打开此页面的链接要求连接 {url}，而此服务器未列出该地址',
  'Press Connect if you trust where the link came from.': '如果您信任链接的来源，请按“连接”。',
  'This page’s list of brokers could not be read': '无法读取此页面的 Broker 列表',
  'Type a broker’s address and press Connect, or reload the page.':
    '请输入 Broker 地址并按“连接”，或重新加载页面。',
  'it lists no brokers': '其中未列出 Broker',
  'the server answered {status}': '服务器返回 {status}',
  'The broker sent DISCONNECT {code}': 'Broker 发送了 DISCONNECT {code}',
  'no answer within {seconds} s': '{seconds} 秒内无响应',
  'Broker’s reason {code}': 'Broker 的原因码 {code}',
  'Broker’s reason {code}: “{words}”': 'Broker 的原因码 {code}：“{words}”',

  // What the broker's reason codes mean
  'The broker could not read what was sent': 'Broker 无法解析发送的内容',
  'Check that it speaks MQTT 5.': '请确认它支持 MQTT 5。',
  'The broker reported a protocol error': 'Broker 报告了协议错误',
  'The broker does not speak MQTT 5': 'Broker 不支持 MQTT 5',
  'This client speaks MQTT 5 only. Enable it in the broker, or use a newer one.':
    '此客户端仅支持 MQTT 5。请在 Broker 中启用 MQTT 5，或使用更新的 Broker。',
  'The broker refused the client ID': 'Broker 拒绝了客户端 ID',
  'Change the client ID under Settings, Options, or leave it empty for a random one.':
    '请在“设置”的“选项”中更改客户端 ID，或留空以使用随机 ID。',
  'The broker refused the user name or password': 'Broker 拒绝了用户名或密码',
  'Check both under Settings, Options.': '请在“设置”的“选项”中检查两者。',
  'The broker does not allow this client to connect': 'Broker 不允许此客户端连接',
  'Check the user name and password under Settings, Options, or ask the broker’s operator for access.':
    '请在“设置”的“选项”中检查用户名和密码，或向 Broker 的管理员申请访问权限。',
  'The broker is unavailable': 'Broker 不可用',
  'Try again later, or choose another broker.': '请稍后重试，或选择其他 Broker。',
  'The broker is busy': 'Broker 繁忙',
  'Try again in a moment.': '请稍后重试。',
  'The broker has banned this client': 'Broker 已禁止此客户端',
  'Ask the broker’s operator, or choose another broker.': '请咨询 Broker 的管理员，或选择其他 Broker。',
  'The broker is shutting down': 'Broker 正在关闭',
  'Try again when it is back.': '请在其恢复后重试。',
  'The broker refused the authentication method': 'Broker 拒绝了认证方法',
  'Use a user name and password under Settings, Options, if the broker accepts them.':
    '如果 Broker 接受用户名和密码，请在“设置”的“选项”中填写。',
  'The broker heard nothing for too long': 'Broker 过久未收到任何数据',
  'Check the network. A shorter keep alive under Settings, Options keeps idle connections open.':
    '请检查网络。在“设置”的“选项”中缩短心跳间隔可保持空闲连接。',
  'Another client took over with the same client ID': '另一个使用相同客户端 ID 的客户端取代了此连接',
  'Give each client its own ID under Settings, Options, or leave it empty for a random one.':
    '请在“设置”的“选项”中为每个客户端设置不同的 ID，或留空以使用随机 ID。',
  'Too many messages were in flight for the broker': '在途消息数超过了 Broker 的上限',
  'Publish more slowly.': '请降低发布速度。',
  'A packet was too large': '报文过大',
  'Send smaller messages, or raise the broker’s limit.': '请发送更小的消息，或提高 Broker 的限制。',
  'Send smaller messages, or raise the limit.': '请发送更小的消息，或提高限制。',
  'The broker finds the message rate too high': 'Broker 认为消息速率过高',
  'A quota of the broker is used up': 'Broker 的配额已用尽',
  'Try again later, or ask the operator.': '请稍后重试，或咨询管理员。',
  'The operator ended the connection': '管理员断开了连接',
  'Ask the broker’s operator why.': '请向 Broker 的管理员询问原因。',
  'The broker asks this client to use another server': 'Broker 要求使用其他服务器',
  'The broker has moved': 'Broker 已迁移',
  'Connect to the address it names.': '请连接到它给出的地址。',
  'Too many connections in a short time': '短时间内连接次数过多',
  'Wait a minute, then try again.': '请等待一分钟后重试。',

  // Why no connection came about
  'This page came over https, so the browser does not let it open a ws: address':
    '此页面通过 https 加载，浏览器不允许它打开 ws: 地址',
  'Use the broker’s wss: address; its port is usually {port}. Or open this page over http.':
    '请使用 Broker 的 wss: 地址，端口通常为 {port}。或者通过 http 打开此页面。',
  'Use the broker’s wss: address. Or open this page over http.':
    '请使用 Broker 的 wss: 地址。或者通过 http 打开此页面。',
  '8081 (Mosquitto’s public broker)': '8081（Mosquitto 的公共 Broker）',
  '9002 or 443 (ask its operator)': '9002 或 443（请咨询其管理员）',
  'The browser blocks this page from reaching {host}': '浏览器阻止此页面访问 {host}',
  'That address is on your own computer or network. Allow “Local network access” for this site (the icon left of the address bar, Site settings), then connect again.':
    '该地址位于您自己的计算机或网络中。请为此网站允许“本地网络访问”（地址栏左侧图标，网站设置），然后重新连接。',
  'The browser has not allowed this page to reach {host}': '浏览器尚未允许此页面访问 {host}',
  'That address is on your own computer or network. Connect again and allow access when the browser asks; a page that did not come over https can’t ask at all.':
    '该地址位于您自己的计算机或网络中。请重新连接，并在浏览器询问时允许访问；未通过 https 加载的页面无法发起询问。',
  'Port {port} is usually MQTT over TCP, which no browser can open. Use the broker’s WebSocket port: often 8083 (EMQX), 9001 (Mosquitto) or 8000 (HiveMQ).':
    '端口 {port} 通常用于基于 TCP 的 MQTT，浏览器无法打开。请使用 Broker 的 WebSocket 端口：通常是 8083（EMQX）、9001（Mosquitto）或 8000（HiveMQ）。',
  'Why?': '原因',
  'Nothing answers at {host}': '{host} 无响应',
  'Check the host name and the port (the one for WebSocket, not for TCP), that the broker is running, and that no firewall is in between.':
    '请检查主机名和端口（应为 WebSocket 端口，而非 TCP 端口），确认 Broker 正在运行，且没有防火墙阻隔。',
  'Or its certificate is not one this browser trusts.': '也可能是此浏览器不信任其证书。',
  '{host} answers, but not as MQTT over WebSocket at {path}':
    '{host} 有响应，但路径 {path} 不是基于 WebSocket 的 MQTT',
  'The server has too many connections': '服务器的连接过多',
  'A server on the way to the broker could not reach it': '通往 Broker 途中的服务器无法连接到它',
  'Check that the broker is running. The log of that server says more.':
    '请检查 Broker 是否在运行。该服务器的日志中有更多说明。',
  'Check the path and the port.': '请检查路径和端口。',
  'The address has no path; most brokers want /mqtt.': '该地址没有路径；多数 Broker 需要 /mqtt。',
  'Most brokers use /mqtt.': '多数 Broker 使用 /mqtt。',
  'No connection': '无法连接',
  'No connection to {host}': '无法连接到 {host}',
  'Check the address and the network.': '请检查地址和网络。',
  '{host} did not answer in time': '{host} 未及时响应',
  'The broker': 'Broker',
  'The host is there, but no MQTT broker answers at this address. Check the port and the path.':
    '主机可达，但此地址没有 MQTT Broker 响应。请检查端口和路径。',
  'Check the host name and the port. A firewall may be blocking the connection.':
    '请检查主机名和端口。连接可能被防火墙拦截。',
  'The connection’s settings are not right': '连接设置有误',
  'The broker refused the connection': 'Broker 拒绝了连接',
  'Check the settings under Settings, Options, or choose another broker.':
    '请在“设置”的“选项”中检查设置，或选择其他 Broker。',
  'The broker ended the connection': 'Broker 断开了连接',
  'Connect again, or choose another broker.': '请重新连接，或选择其他 Broker。',
  'What answers at {address} is not an MQTT 5 broker': '{address} 的响应者不是 MQTT 5 Broker',
  'this address': '此地址',
  'Check the port and the path, and that the broker speaks MQTT 5.':
    '请检查端口和路径，并确认 Broker 支持 MQTT 5。',
  'The client’s program ended': '客户端程序已终止',
  'The client’s program could not be loaded': '无法加载客户端程序',
  'Check that the server of this page can be reached, and try again.':
    '请检查本页面的服务器是否可达，然后重试。',
  'Connect again; reload the page if that fails.': '请重新连接；如仍失败，请重新加载页面。',
  'Connecting was cancelled': '已取消连接',
  'Press Connect to try again.': '请按“连接”重试。',
  Settings: '设置',
};
