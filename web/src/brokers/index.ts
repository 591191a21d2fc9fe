/** Signing in to brokers that need more than a user name: `mqttwasm/brokers`. */

export { type Authorizer, customAuthorizer } from './authorizer';
export { type Jwt, jwt, type Renewal } from './jwt';
export { type AwsCredentials, regionOf, type Signing, sigV4 } from './sigv4';
export { expiryOf, type Token, type TokenRequest, type TokenSource, tokenFrom } from './token';
