import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { complaintsOf, connectTo, openConnected, openSettings, type Parts } from './support/page';
import { freePort } from './support/process';
import { type Listener, listen } from './support/tcp';

let server: Server;
let complaints: string[];
let parts: Parts;

test.beforeAll(async () => {
  server = await startServer(['-default-broker', 'mqtt']);
});

test.afterAll(() => server?.stop());

test.beforeEach(async ({ page }) => {
  complaints = await complaintsOf(page);
  parts = await openConnected(page, server.url);
});

/** Errors the browser itself logs for failed connections, which these tests provoke. */
const aboutConnections = /^(WebSocket connection to 'ws:|Failed to load resource: )/;

test.afterEach(async ({ page }) => {
  expect(complaints.filter((text) => !aboutConnections.test(text))).toEqual([]);
  await worksAgain(page.url());
});

/** Checks that the page can still connect. */
async function worksAgain(url: string): Promise<void> {
  await connectTo(parts, `${url.replace(/^http/, 'ws')}mqtt`);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.notice).toBeEmpty();
  await parts.payload.fill('after all');
  await parts.publish.click();
  await expect(parts.row(await parts.topic.inputValue(), 'after all')).toHaveCount(1);
}

test('a wrong path', async () => {
  await connectTo(parts, server.mqtt.replace('/mqtt', '/nope'));
  await expect(parts.status).toHaveText(/^disconnected/);
  await expect(parts.notice).toContainText('answers, but not as MQTT over WebSocket at /nope');
  await expect(parts.notice).toContainText('Most brokers use /mqtt');
});

test('a port where nothing listens', async () => {
  const host = `127.0.0.1:${await freePort()}`;
  await connectTo(parts, `ws://${host}/mqtt`);
  await expect(parts.status).toHaveText(/^disconnected/);
  await expect(parts.notice).toContainText(`Nothing answers at ${host}`);
  await expect(parts.notice).toContainText('Check the host name and the port');
});

test.describe('a port that speaks something else', () => {
  let other: Listener;

  test.beforeAll(async () => {
    other = await listen((socket) => socket.end('220 mail.example ESMTP\r\n'));
  });

  test.afterAll(() => other?.stop());

  test('suggests checking the port', async () => {
    const host = `127.0.0.1:${other.port}`;
    await connectTo(parts, `ws://${host}/mqtt`);
    await expect(parts.status).toHaveText(/^disconnected/);
    await expect(parts.notice).toContainText(host);
    await expect(parts.notice).toContainText('the port (the one for WebSocket, not for TCP)');
    expect(other.accepted()).toBeGreaterThan(0);
  });

  test('such as the embedded broker’s own TCP port', async () => {
    const host = `127.0.0.1:${server.tcpPort}`;
    await connectTo(parts, `ws://${host}/mqtt`);
    await expect(parts.status).toHaveText(/^disconnected/);
    await expect(parts.notice).toContainText(host);
    await expect(parts.notice).toContainText('the port (the one for WebSocket, not for TCP)');
  });
});

test.describe('a broker that wants a password', () => {
  let directory: string;
  let mosquitto: Mosquitto;

  test.beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'password-'));
    const file = join(directory, 'passwords');
    execFileSync('mosquitto_passwd', ['-b', '-c', file, 'ada', 'right'], { stdio: 'ignore' });
    // Started as root, mosquitto drops to its own user to read the file.
    chmodSync(directory, 0o755);
    chmodSync(file, 0o644);
    mosquitto = await startMosquitto(undefined, ['allow_anonymous false', `password_file ${file}`]);
  });

  test.afterAll(async () => {
    await mosquitto?.stop();
    if (directory) rmSync(directory, { recursive: true });
  });

  test('its refusal is explained, and the right password connects', async ({ page }) => {
    await connectTo(parts, mosquitto.mqtt);
    await expect(parts.status).toHaveText(/^disconnected/);
    await expect(parts.notice).toContainText('The broker does not allow this client to connect');
    await expect(parts.notice).toContainText('Check the user name and password under Settings, Options');
    await expect(parts.notice).toContainText('0x87');

    await openSettings(page, 'Options');
    const user = page.getByRole('textbox', { name: 'User name' });
    const password = page.getByRole('textbox', { name: 'Password' });
    await user.fill('ada');
    await password.fill('wrong');
    await parts.connect.click();
    await expect(parts.notice).toContainText('user name and password under Settings, Options');
    await expect(parts.status).toHaveText(/^disconnected/);

    await openSettings(page, 'Options');
    await password.fill('right');
    await parts.connect.click();
    await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
    await expect(parts.notice).toBeEmpty();
  });
});
