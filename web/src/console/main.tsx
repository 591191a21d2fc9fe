import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import { render } from 'preact';
import { start } from './core/i18n/i18n';
import { install } from './install/install';
import { App } from './panels/app';
import { createState } from './session/state';
import { createShortcuts } from './shortcuts/store';

async function open(root: HTMLElement): Promise<void> {
  await start();
  const state = createState();
  render(<App state={state} shortcuts={createShortcuts(state)} />, root);
  void state.start();
  install();
}

const root = document.getElementById('app');
if (root) void open(root);
