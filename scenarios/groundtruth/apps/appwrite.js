// Appwrite: an anonymous session.
import { Account, Client } from 'appwrite';

export async function run() {
  const account = new Account(new Client().setEndpoint('https://cloud.appwrite.io/v1').setProject('groundtruth'));
  try {
    await account.get();
  } catch {
    await account.createAnonymousSession();
    await account.get();
  }
}
