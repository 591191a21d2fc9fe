import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import { render } from 'preact';
import { App } from './app';
import { install } from './install/install';
import { start } from './language/language';
import { createShortcuts } from './shortcuts/store';
import { createState } from './state';

async function open(root: HTMLElement): Promise<void> {
  await start();
  const state = createState();
  render(<App state={state} shortcuts={createShortcuts(state)} />, root);
  void state.start();
  install();
}

const root = document.getElementById('app');
if (root) void open(root);
