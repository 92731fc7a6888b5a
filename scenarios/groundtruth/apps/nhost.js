// Nhost: an anonymous user, and a GraphQL query with its token.
import { createClient } from '@nhost/nhost-js';

export async function run() {
  const nhost = createClient({ subdomain: 'groundtruth', region: 'eu-central-1' });
  if (!nhost.getUserSession()) await nhost.auth.signInAnonymous();
  await nhost.graphql.request({ query: '{ posts { id title } }' });
}
