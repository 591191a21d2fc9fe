import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import { render } from 'preact';
import { App } from './app';
import { install } from './install/install';
import { createShortcuts } from './shortcuts/store';
import { createState } from './state';

const root = document.getElementById('app');
if (root) {
  const state = createState();
  render(<App state={state} shortcuts={createShortcuts(state)} />, root);
  void state.start();
  install();
}
