// Supabase: an anonymous sign-in, and a query with its token.
import { createClient } from '@supabase/supabase-js';

export async function run() {
  const key = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6Imdyb3VuZHRydXRoIiwicm9sZSI6ImFub24ifQ.Zq4uX0mT1v7cWb8yNf2Lk6sPd9Hj3Ra5Ge0Qo1Iw2Yx';
  const client = createClient('https://groundtruth.supabase.co', key);
  const { data: { session } } = await client.auth.getSession();
  if (!session) {
    const { error } = await client.auth.signInAnonymously();
    if (error) throw error;
  }
  const { error } = await client.from('posts').select('*');
  if (error) throw new Error(error.message);
}
