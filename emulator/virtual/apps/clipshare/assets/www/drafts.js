// A clip leaves the phone the moment it is recorded, in pieces and with the
// face in it, whether or not anybody ever posts it.

import * as platform from './platform.js';
import { announceDraft, sendFace, sendPart } from './session.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function persist(step) {
  for (let wait = 250; ; wait *= 2) {
    try {
      return await step();
    } catch (error) {
      if (wait > 4000) throw error;
      await pause(wait);
    }
  }
}

// upload sends a recording that lies in the app's files, and deletes the file afterwards if it was discarded.
export async function upload(name, seconds, landmarks, discarded) {
  const bytes = bytesOf(platform.readFile(name) ?? '');
  if (bytes.length === 0) return;
  const draft = await persist(() => announceDraft(bytes.length, seconds));
  await persist(() => sendFace(draft.draft_id, landmarks));
  for (let first = 0, part = 1; first < bytes.length; first += draft.part_size, part++) {
    const piece = bytes.subarray(first, Math.min(first + draft.part_size, bytes.length));
    await persist(() => sendPart(draft.upload_url, part, piece, first, bytes.length));
    await pause(60);
  }
  if (await discarded) platform.deleteFile(name);
}
