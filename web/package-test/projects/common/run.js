// What every project does with the package, in each of the ways to run it.

/** `addresses` are those of the worker and the wasm, where the package's own are not to be used. */
export async function run({ connect, mqtt }, url, addresses = {}) {
  const ways = { worker: {}, inline: { worker: false }, shared: { shared: true } };
  for (const [way, options] of Object.entries(ways)) {
    await show(way, roundTrip(connect, url, { ...addresses, ...options }));
  }
  await show('compat', compatRoundTrip(mqtt, url, addresses));
}

async function show(way, result) {
  const line = document.createElement('p');
  line.textContent = `${way}: ${await result.catch((error) => `${error.code} ${error.message}`)}`;
  document.body.append(line);
}

export async function roundTrip(connect, url, options) {
  const client = await connect(url, options);
  const topic = `package/${client.clientId}`;
  const subscription = await client.subscribe(topic, { qos: 1 });
  await client.publish(topic, 'it works', { qos: 1 });
  for await (const message of subscription) {
    await client.end();
    return message.text();
  }
}

export function compatRoundTrip(mqtt, url, options) {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect(url, options);
    const topic = `package/${client.options.clientId}`;
    client.on('connect', () => {
      client.subscribe(topic, (error) => (error ? reject(error) : client.publish(topic, 'it works')));
    });
    client.on('message', (_topic, message) => client.end(() => resolve(message.toString())));
    client.on('error', reject);
  });
}
