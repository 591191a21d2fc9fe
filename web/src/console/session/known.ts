/** Brokers that are recognized by their host name, and how they differ from others. */

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

export const isAwsIot = (url: string): boolean =>
  /\.iot(-fips)?\..+\.amazonaws\.com(\.cn)?$/.test(hostOf(url));

export const isEventGrid = (url: string): boolean => hostOf(url).endsWith('.ts.eventgrid.azure.net');
