import { createServer } from 'node:http';

export interface Violations {
  /** The value for `-csp-report`. */
  url: string;
  reports: readonly string[];
  /** Stops; throws if a page or worker violated its policy. */
  end(): Promise<void>;
}

/** Collects the reports of all browsers, whichever test opened the page. */
export async function collectViolations(): Promise<Violations> {
  const reports: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    reports.push(body);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    reports,
    url: `http://127.0.0.1:${address.port}/`,
    end: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (reports.length > 0) throw new Error(`against the content security policy:\n${reports.join('\n')}`);
    },
  };
}
