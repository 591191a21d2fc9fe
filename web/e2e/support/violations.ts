import { createServer } from 'node:http';

export interface Violations {
  /** What `-csp-report` takes. */
  url: string;
  /** What was reported so far. */
  reports: readonly string[];
  /** Ends; throws when any page or worker did, or tried, what its policy forbids. */
  end(): Promise<void>;
}

/** Where browsers report to, whichever test opened the page and whatever it looks at. */
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
