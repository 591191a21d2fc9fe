/** The trees of all connections, which share the caps. */

import { caps, createModel, type Model } from './model';

export function createForest(total = caps) {
  const trees = new Set<Model>();

  /** Makes a new tree, which may use what the others leave. */
  function plant(): Model {
    const left = (what: 'nodes' | 'bytes'): number => {
      let room = total[what];
      for (const other of trees) if (other !== tree) room -= other[what];
      return room;
    };
    const tree = createModel({
      get nodes() {
        return left('nodes');
      },
      get bytes() {
        return left('bytes');
      },
    });
    trees.add(tree);
    return tree;
  }

  /** Removes a tree, and frees what it used. */
  function fell(tree: Model): void {
    trees.delete(tree);
  }

  return { plant, fell };
}

export type Forest = ReturnType<typeof createForest>;
