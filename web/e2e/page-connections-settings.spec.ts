import type { Page } from '@playwright/test';
import type { Mosquitto, Server } from './support/brokers';
import { addConnection, nameOf, strip, test } from './support/connections';
import { expect } from './support/fixtures';
import { connectTo, openSettings, type Parts } from './support/page';

let server: Server;
let mosquitto: Mosquitto;
let parts: Parts;

test.beforeEach(({ server: theServer, mosquitto: theMosquitto, parts: theParts }) => {
  server = theServer;
  mosquitto = theMosquitto;
  parts = theParts;
});

/** Opens and selects a second connection, to mosquitto. */
const addMosquitto = (page: Page) => addConnection(page, parts, mosquitto);

test('changed options require a reconnect, and the focus stays', async ({ page }) => {
  await openSettings(page, 'Options');
  const id = page.getByRole('textbox', { name: 'Client ID' });
  await id.fill('of-my-own');
  await expect(parts.connect).toHaveCount(1);
  await id.fill('');
  await expect(parts.connect).toHaveCount(0);
  await id.fill('of-my-own');
  await id.press('Enter');
  await expect(parts.status).toHaveText(/^connected/);
  await expect(parts.connect).toHaveCount(0);
  await openSettings(page, 'Session');
  await expect(page.locator('.connection-part')).toContainText('of-my-own');
  await page.keyboard.press('Escape');

  await parts.disconnect.press('Enter');
  await expect(parts.connect).toBeFocused();
  await parts.connect.press('Enter');
  await expect(parts.status).toHaveText(/^connected/);
  await expect(parts.disconnect).toBeFocused();
});

test('a profile is used for the selected connection, or opened beside it', async ({ page }) => {
  await openSettings(page, 'Profiles');
  await parts.url.fill(mosquitto.mqtt);
  await page.getByRole('textbox', { name: 'Save the settings as' }).fill('The garden');
  await page.getByRole('button', { name: 'Save', exact: true }).first().click();
  await page.getByRole('button', { name: 'Open The garden in new connection' }).click();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  const garden = page.getByRole('button', { name: /^The garden, connected/ });
  await expect(garden).toHaveAttribute('aria-current', 'true');
  await parts.publish.click();
  await expect(parts.rows.locator('.via')).toHaveText('The garden');

  await strip(page).tab(server).click();
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await openSettings(page, 'Profiles');
  await page.getByRole('button', { name: /^Use The garden/ }).click();
  await parts.disconnect.click();
  await parts.connect.click();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await expect(page.getByRole('button', { name: /^The garden \(2\), connected/ })).toBeVisible();
});

test('a reload restores the connections, and reconnects those that were connected', async ({ page }) => {
  const { add, tabs, tab } = strip(page);
  await addMosquitto(page);
  await add.click();
  await parts.url.fill('ws://127.0.0.1:9/mqtt');
  await add.click();
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await tab(mosquitto).first().click();

  await page.reload();
  await expect(tabs).toHaveCount(4);
  const names = tabs.locator('.strip-show');
  await expect(names.nth(0)).toHaveAccessibleName(`${nameOf(server)}, connected`);
  await expect(names.nth(1)).toHaveAccessibleName(`${nameOf(mosquitto)}, connected`);
  await expect(names.nth(2)).toHaveAccessibleName('Connection 3, disconnected');
  await expect(names.nth(3)).toHaveAccessibleName(`${nameOf(mosquitto)} (2), connected`);
  await expect(names.nth(1)).toHaveAttribute('aria-current', 'true');
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await expect(parts.broker.getByRole('option', { name: 'This server' })).toHaveCount(1);
  await names.nth(2).click();
  await expect(parts.url).toHaveValue('ws://127.0.0.1:9/mqtt');
  await expect(parts.notice).toBeEmpty();
});

test('after a reload the page asks for a password that was not stored', async ({ page }) => {
  await strip(page).add.click();
  await openSettings(page, 'Options');
  const password = page.getByRole('textbox', { name: 'Password' });
  await page.getByRole('textbox', { name: 'User name' }).fill('me');
  await password.fill('pa55');
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);

  await page.reload();
  await expect(strip(page).tabs).toHaveCount(2);
  await expect(parts.notice).toContainText('passwords are not kept when the page is reloaded');
  await expect(parts.status).toHaveText(/^disconnected/);
  expect(
    await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }])),
  ).not.toContain('pa55');
  await openSettings(page, 'Options');
  await expect(page.getByRole('textbox', { name: 'User name' })).toHaveValue('me');
  await password.fill('pa55');
  await parts.connect.click();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await expect(parts.notice).toBeEmpty();
});

test('secrets in an address are neither read out nor listed', async ({ page }) => {
  const address = mosquitto.mqtt.replace('//', '//ann:pa55@');
  await connectTo(parts, `${address}?token=pa55`);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await openSettings(page, 'Profiles');
  await page.getByRole('textbox', { name: 'Save the settings as' }).fill('Mine');
  await page.getByRole('checkbox', { name: /^Save password/ }).check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Profiles' })).toContainText(mosquitto.mqtt);
  expect(await page.locator('body').textContent()).not.toContain('pa55');
});

test('after a reload one connection reconnects to its broker; a new page uses the default one', async ({
  page,
}) => {
  await connectTo(parts, mosquitto.mqtt);
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await page.reload();
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
  await expect(strip(page).tabs).toHaveCount(0);
  await page.goto(server.url);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
});

test('Enter in an edited address reconnects, and an invalid one keeps the connection', async () => {
  await parts.url.fill('nowhere at all');
  await parts.url.press('Enter');
  await expect(parts.url).toHaveAttribute('aria-invalid', 'true');
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await parts.url.fill(mosquitto.mqtt);
  await parts.url.press('Enter');
  await expect(parts.status).toHaveText(`connected ${mosquitto.mqtt}`);
});

test('an invalid option opens the options, and disables no other tool', async ({ page }) => {
  await parts.disconnect.click();
  await openSettings(page, 'Options');
  await page.getByRole('textbox', { name: 'Keep alive' }).fill('-1');
  await openSettings(page, 'Options');
  await parts.connect.click();
  await expect(page.getByRole('textbox', { name: 'Keep alive' })).toHaveAttribute('aria-invalid', 'true');
  await openSettings(page, 'Code');
  await expect(page.getByRole('region', { name: 'Code' })).toBeVisible();
});
