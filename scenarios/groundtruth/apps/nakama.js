// Nakama: an account for the device, by its Android ID.
import { Client } from '@heroiclabs/nakama-js';

export async function run(phone) {
  const client = new Client('defaultkey', 'nakama.groundtruth.example', '443', true);
  const session = await client.authenticateDevice(phone.ssaid, true);
  await client.getAccount(session);
}
