/** The trees of all connections, which have the caps of one between them. */

import { caps, createModel, type Model } from './model';

export function createForest(total = caps) {
  const trees = new Set<Model>();

  /** A new tree: it may take what the others leave. */
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

  /** What it took is free again. */
  function fell(tree: Model): void {
    trees.delete(tree);
  }

  return { plant, fell };
}

export type Forest = ReturnType<typeof createForest>;
