import './styles/tokens.css';
import './styles/base.css';
import './styles/arrange.css';
import './styles/layout.css';
import './styles/forced-colours.css';
import { render } from 'preact';
import { start } from './core/i18n/i18n';
import { install } from './install/install';
import { App } from './panels/app';
import { createPage } from './session/page';
import { createShortcuts } from './shortcuts/store';

async function open(root: HTMLElement): Promise<void> {
  await start();
  const page = createPage();
  render(<App page={page} shortcuts={createShortcuts(page)} />, root);
  void page.start();
  install();
}

const root = document.getElementById('app');
if (root) void open(root);
