/** Chinese, as it is written in mainland China. */

import { connection } from './zh-connection';
import { editor } from './zh-editor';
import { feed } from './zh-feed';
import { fleet } from './zh-fleet';
import { forms } from './zh-forms';
import { payload } from './zh-payload';
import { recordings } from './zh-recordings';
import { scripts } from './zh-scripts';
import { topics } from './zh-topics';

export const zh: Readonly<Record<string, string>> = {
  ...connection,
  ...forms,
  ...feed,
  ...topics,
  ...payload,
  ...recordings,
  ...editor,
  ...scripts,
  ...fleet,
};
