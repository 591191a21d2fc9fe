import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { violationsOf } from './support/axe';
import { startMosquitto } from './support/brokers';
import { authOf, type Connect, connectOf, property } from './support/fields';
import { expect, test as withPage } from './support/fixtures';
import {
  connectTo,
  inBothSchemes,
  laptopAndPhone,
  launchWith,
  openSettings,
  type Parts,
  picture,
  showView,
} from './support/page';
import { endOnMqtt5, serveAwsIot, serveMqtt3, serveRabbit } from './support/quirks';
import {
  answerTo,
  auth,
  authentication,
  connack,
  type Script,
  startScripted,
  type,
} from './support/scripted';

const awsHost = 'a1b2c3-ats.iot.eu-west-1.amazonaws.com';

const test = withPage.extend<object>({
  // Ignores statuses that the tests' own servers send and that probes provoke.
  async complaints({ complaints }, use) {
    await use(complaints);
    const kept = complaints.filter((text) => !/^Failed to load resource: .*status of (403|426)/.test(text));
    complaints.splice(0, complaints.length, ...kept);
  },
});

test.use(launchWith(`--host-resolver-rules=MAP ${awsHost} 127.0.0.1`));

const cleanUp: (() => unknown)[] = [];
test.afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

async function scripted(script: Script, host?: string) {
  const broker = await startScripted(script);
  cleanUp.push(broker.stop);
  return { ...broker, url: host ? broker.url.replace('127.0.0.1', host) : broker.url };
}

/** A third-party token server. */
async function tokens(answer: (request: IncomingMessage) => { status?: number; body: string }) {
  const server: HttpServer = createServer((request, response) => {
    const { status = 200, body } = answer(request);
    response.writeHead(status, { 'access-control-allow-origin': '*' }).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  cleanUp.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });

/** Fills in the options and closes them. */
async function logIn(page: Page, kind: string, fields: Record<string, string>): Promise<void> {
  await openSettings(page, 'Options');
  await page.getByRole('combobox', { name: 'Authentication' }).selectOption({ label: kind });
  for (const [name, value] of Object.entries(fields)) await field(page, name).fill(value);
}

async function connects(parts: Parts, url: string): Promise<void> {
  await connectTo(parts, url);
  await expect(parts.status).toHaveText(`connected ${url}`);
}

const keys = {
  'Access key ID': 'AKIDEXAMPLE',
  'Secret access key': 'hunter2/+',
  'Session token, if any': 'hunter3',
};

/** Everything the page stores, and the link it shares. */
async function kept(page: Page): Promise<string> {
  await openSettings(page, 'Share');
  const link = await page.getByRole('textbox', { name: 'Link to this' }).inputValue();
  const stored = await page.evaluate(() => {
    dispatchEvent(new PageTransitionEvent('pagehide'));
    return JSON.stringify([{ ...localStorage }, { ...sessionStorage }]);
  });
  return link + stored;
}

test('AWS IoT with Signature Version 4: signed for the endpoint’s region, and not stored', async ({
  page,
  parts,
}) => {
  const broker = await scripted(serveAwsIot, awsHost);
  await logIn(page, 'AWS IoT: Signature Version 4', keys);
  await connects(parts, broker.url);
  const { searchParams } = new URL(broker.connections[0]?.path ?? '', 'http://x');
  expect(searchParams.get('X-Amz-Credential')).toMatch(
    /^AKIDEXAMPLE\/\d{8}\/eu-west-1\/iotdevicegateway\/aws4_request$/,
  );
  expect(searchParams.get('X-Amz-Signature')).toMatch(/^[\da-f]{64}$/);
  expect([...searchParams.keys()].at(-1)).toBe('X-Amz-Security-Token');
  await expect(parts.subscriptions.first()).toContainText('QoS 1');

  await openSettings(page, 'Profiles');
  await field(page, 'Save the settings as').fill('Cloud');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved “Cloud”.')).toBeVisible();
  const everything = await kept(page);
  expect(everything).toContain(awsHost);
  expect(everything).not.toMatch(/hunter|AKID|X-Amz/);

  await page.reload();
  await expect(parts.notice).toContainText('Not connected again: passwords are not kept');
  await expect(parts.url).toHaveValue(broker.url);
  await openSettings(page, 'Options');
  await expect(page.getByRole('combobox', { name: 'Authentication' })).toHaveValue('sigv4');
  await expect(field(page, 'Secret access key')).toHaveValue('');
  await parts.connect.click();
  await expect(page.getByText('Is missing', { exact: true })).toBeVisible();
});

test('AWS IoT limits: no $SYS, no QoS 2, and it closes the connection without a reason', async ({
  page,
  parts,
}) => {
  let hungUp = false;
  // The second connection gets no reply, so that it does not clear the message.
  const broker = await scripted(async (connection) => {
    if (!hungUp) await serveAwsIot(connection);
    hungUp = true;
  }, awsHost);
  await connects(parts, broker.url);
  await openSettings(page, 'Session');
  const lacks = page.getByRole('list', { name: 'What the broker does not offer' });
  await expect(lacks).toContainText('No QoS 2');
  await expect(lacks).toContainText('No subscription identifiers');
  await page.keyboard.press('Escape');

  await showView(page, 'Broker');
  await expect(page.getByRole('status', { name: 'Broker values' })).toContainText('AWS IoT has no $SYS/#');
  await showView(page, 'Messages');
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  expect(broker.connections).toHaveLength(1);

  await parts.filter.fill('$SYS/#');
  await parts.subscribe.click();
  await expect(parts.notice).toContainText(
    /AWS IoT closed the connection without a reason.*8 topic filters/s,
  );
});

test('AWS IoT refuses the connection: the possible reasons are listed', async ({ page, parts }) => {
  const broker = await scripted((connection) => connection.close(), awsHost);
  await logIn(page, 'AWS IoT: Signature Version 4', keys);
  await connectTo(parts, broker.url);
  await expect(parts.notice).toContainText('AWS IoT did not accept this client');
  await expect(parts.notice).toContainText('this computer’s clock');
});

test('AWS IoT with a custom authorizer', async ({ page, parts }) => {
  const broker = await scripted(serveAwsIot, awsHost);
  await logIn(page, 'AWS IoT: custom authorizer', {
    Authorizer: 'mine',
    'Name of the token': 'who',
    Token: 'hunter2',
    'Signature, if checked': 'a+b==',
    'User name': 'me',
  });
  await connects(parts, broker.url);
  expect(broker.connections[0]?.path).toBe(
    '/mqtt?x-amz-customauthorizer-name=mine&who=hunter2&x-amz-customauthorizer-signature=a%2Bb%3D%3D',
  );
  expect(await kept(page)).not.toContain('hunter');
});

const jwtUntil = (at: number) =>
  `e30.${Buffer.from(JSON.stringify({ exp: Math.floor(at / 1000) })).toString('base64url')}.sig`;

test('a JSON Web Token is sent as authentication data, and renewed on the same connection', async ({
  page,
  parts,
}) => {
  const [old, fresh] = [jwtUntil(Date.now() + 60_000), jwtUntil(Date.now() + 7_200_000)];
  let connect: Connect | undefined;
  const auths: unknown[] = [];
  const broker = await scripted(async (connection) => {
    connect = connectOf(await connection.expect(type.connect));
    connection.send(connack(0, authentication('OAUTH2-JWT', '')));
    for (;;) {
      const packet = await connection.next();
      if (packet.type === type.auth) {
        const { reason, data } = authOf(packet);
        auths.push([reason, data?.toString()]);
        connection.send(auth(0, authentication('OAUTH2-JWT', '')));
      } else {
        const answer = answerTo(packet);
        if (answer) connection.send(answer);
      }
    }
  });
  await logIn(page, 'JSON Web Token (Azure Event Grid)', { Token: old });
  await expect(page.getByText(/^Expires /)).toBeVisible();
  await connects(parts, broker.url);
  expect(connect?.properties.get(property.authenticationMethod)?.toString()).toBe('OAUTH2-JWT');
  expect(connect?.properties.get(property.authenticationData)?.toString()).toBe(old);

  await openSettings(page, 'Options');
  await field(page, 'Token').fill(fresh);
  await page.getByRole('button', { name: 'Authenticate again' }).click();
  await expect(page.getByRole('status', { name: 'Authentication' })).toHaveText(
    'The broker accepted the token.',
  );
  expect(auths).toEqual([[0x19, fresh]]);
  await field(page, 'Token').fill(jwtUntil(Date.now() - 60_000));
  await expect(page.getByText(/^Expired .*get a new one$/)).toBeVisible();
});

test('a password from a URL, fetched for each attempt, is accepted by mosquitto', async ({ page, parts }) => {
  const dir = mkdtempSync(join(tmpdir(), 'passwords-'));
  cleanUp.push(() => rmSync(dir, { recursive: true }));
  execFileSync('mosquitto_passwd', ['-c', '-b', join(dir, 'file'), 'me', 'hunter2'], { stdio: 'pipe' });
  const mosquitto = await startMosquitto(undefined, [
    'allow_anonymous false',
    `password_file ${join(dir, 'file')}`,
    'user root',
  ]);
  cleanUp.push(mosquitto.stop);
  const asked: (string | undefined)[] = [];
  const url = await tokens(({ url }) => {
    asked.push(url);
    return { body: '{"access_token":"hunter2"}' };
  });
  const tokenUrl = 'Token URL, asked at each attempt';
  await logIn(page, 'Token from a URL', { [tokenUrl]: `${url}?key=hunter4`, 'User name': 'me' });
  await connects(parts, mosquitto.mqtt);
  await parts.publish.click();
  await expect(parts.rows).toHaveCount(1);
  expect(asked).toEqual(['/token?key=hunter4']);

  // The devices of a fleet and its subscriber log in the same way.
  await showView(page, 'Fleet');
  const fleet = page.getByRole('region', { name: 'Fleet', exact: true });
  await fleet.getByRole('textbox', { name: 'Devices', exact: true }).fill('3');
  await fleet.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(fleet.getByText('3 of 3', { exact: true })).toBeVisible();
  await fleet.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(fleet.getByRole('status', { name: 'State of the fleet' })).toHaveText('Ended');
  expect(asked.splice(1)).toEqual(Array(4).fill('/token?key=hunter4'));
  expect(await kept(page)).not.toContain('hunter');

  // Without a query string the URL is not secret, so a reload reconnects.
  await openSettings(page, 'Options');
  await field(page, tokenUrl).fill(url);
  await connects(parts, mosquitto.mqtt);
  await page.reload();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  expect(asked).toEqual(['/token?key=hunter4', '/token', '/token']);
});

test('a URL that gives no password is reported, with the server’s own message', async ({ page, parts }) => {
  const url = await tokens(() => ({ status: 403, body: 'hunter2' }));
  await logIn(page, 'Token from a URL', { 'Token URL, asked at each attempt': `${url}?key=hunter4` });
  const broker = await scripted(serveRabbit);
  await connectTo(parts, broker.url);
  await expect(parts.notice).toContainText('There is no token or signature to connect with');
  await expect(parts.notice).toContainText(`the token of ${url} was refused with status 403`);
  await expect(parts.notice).not.toContainText('hunter');
});

test('RabbitMQ: QoS 2 becomes 1, and the page says why', async ({ page, parts }) => {
  const broker = await scripted(serveRabbit);
  await connects(parts, broker.url);
  await parts.filter.fill('plant/#');
  await page
    .getByRole('form', { name: 'Subscribe' })
    .getByRole('combobox', { name: 'QoS' })
    .selectOption('2');
  await parts.subscribe.click();
  await expect(parts.subscriptions.filter({ hasText: 'plant/#' })).toContainText('QoS 1');
  await parts.qos.selectOption('2');
  await parts.publish.click();
  await expect(page.getByText(/Maximum QoS is 1/).first()).toBeVisible();
  await openSettings(page, 'Session');
  await expect(page.getByRole('list', { name: 'What the broker does not offer' })).toContainText(
    'A subscription that asks for QoS 2 gets QoS 1',
  );
  expect(broker.connections).toHaveLength(1);
});

test('a broker that speaks only MQTT 3.1.1, whether it says so or closes the connection', async ({
  parts,
}) => {
  await connectTo(parts, (await scripted(serveMqtt3)).url);
  await expect(parts.notice).toContainText('The broker does not speak MQTT 5');
  for (const how of ['close', 'hangUp'] as const) {
    await connectTo(parts, (await scripted(endOnMqtt5(how))).url);
    await expect(parts.notice).toContainText('closed the connection right after CONNECT');
    await expect(parts.notice).toContainText('MQTT 3.1.1 only');
  }
});

test('the choice of authentication has no axe violations, wide and narrow', async ({ page, parts: _ }) => {
  test.slow();
  for (const [width, height] of laptopAndPhone) {
    await page.setViewportSize({ width, height });
    await page.keyboard.press('Escape');
    await showView(page, 'Broker');
    for (const kind of ['sigv4', 'authorizer', 'jwt', 'url']) {
      await openSettings(page, 'Options');
      await page.getByRole('combobox', { name: 'Authentication' }).selectOption(kind);
      await inBothSchemes(page, async (scheme) => {
        await picture(page, `login-${kind}-${width}-${scheme}`, true);
        expect.soft(await violationsOf(page, { scheme }), `${kind}, ${width}, ${scheme}`).toEqual([]);
        const beside = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect.soft(beside).toBeLessThanOrEqual(0);
      });
    }
  }
});
