import type { Boundary, GoClient } from '../../protocol/boundary';
import { failure, within } from '../limits';
import { type Connection, type Membership, openConnection, type SharedOptions } from './connection';
import { difference } from './difference';

/** One page's end of the registry. */
export interface Port extends Pick<Membership, 'freeze' | 'thaw' | 'leave'> {
  boundary: Boundary<GoClient>;
}

/** Gives every page a boundary of its own, on connections that they share. */
export function createRegistry(boundary: Boundary<GoClient>): { attach(): Port } {
  const connections = new Set<Connection>();

  /** Pages without a clientId share one connection. */
  function find({ url, clientId }: SharedOptions): Connection | undefined {
    return [...connections].find(({ options }) => options.url === url && options.clientId === clientId);
  }

  function open(options: SharedOptions, authenticates: boolean): Connection {
    const connection = openConnection(boundary, options, authenticates, () => connections.delete(connection));
    connections.add(connection);
    return connection;
  }

  function attach(): Port {
    const memberships = new Set<Membership>();
    let gone = false;

    const connect: Boundary<GoClient>['connect'] = async (all) => {
      const { onBatch, onEvent, onPackets, onAttempt, onAuthenticate, ...own } = all;
      const { packetEvents, background, filters, whenTabCloses, timeout, signal, ...options } = own;
      let connection = find(options);
      for (; connection?.ending; connection = find(options)) {
        await within(connection.ending, own, 'connect');
      }
      if (gone) throw failure('aborted', 'connect: the page was closed');
      if (connection) mustAgree(connection, options, onAuthenticate !== undefined);
      else connection = open(options, onAuthenticate !== undefined);

      const membership = connection.join(
        {
          ...all,
          onEvent(event) {
            if (event.type === 'end') memberships.delete(membership);
            onEvent(event);
          },
        },
        own,
      );
      memberships.add(membership);
      try {
        return await membership.ready(own);
      } catch (error) {
        memberships.delete(membership);
        throw error;
      }
    };

    return {
      boundary: { connect },
      freeze() {
        for (const membership of memberships) membership.freeze();
      },
      thaw() {
        for (const membership of memberships) membership.thaw();
      },
      leave() {
        gone = true;
        for (const membership of memberships) membership.leave();
      },
    };
  }

  return { attach };
}

function mustAgree(connection: Connection, options: SharedOptions, authenticates: boolean): void {
  const field =
    difference(connection.options, options) ??
    (authenticates && !connection.authenticates ? 'authenticate' : undefined);
  if (field === undefined) return;
  const problem = 'is not the same as in the tab whose connection this one would share';
  throw failure('bad-option', `${field}: ${problem}; give the same, or another clientId`, { field });
}
