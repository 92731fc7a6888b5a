package evidence

import (
	"encoding/json"
	"testing"
	"time"
)

// A line that is put together is the one that encoding/json would write.
func TestALineIsWhatEncodingItGives(t *testing.T) {
	payload, err := encode(map[string]any{"text": "<é>\u2028\x01\"\\", "list": []any{1, nil, "x"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "a", "phase one", `"quoted"`, `back\slash`, "é\u2028\u2029", "\x00\t\n\x7f", "<&>", "\xff"} {
		for _, at := range []time.Time{time.Unix(0, 0), time.Unix(1700000000, 120_000_000), time.Unix(1700000000, 1)} {
			ev := Event{Seq: 18446744073709551615, At: at.UTC(), Arm: text, Phase: text, Consent: Consent(text), Kind: text, Data: payload, Prev: DigestOf(nil)}
			want, err := encode(ev)
			if err != nil {
				t.Fatal(err)
			}
			got, err := appendEvent(nil, &ev)
			if err != nil || string(got) != string(want) {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
			if string(ev.Data) != string(payload) {
				t.Errorf("the payload is %s", ev.Data)
			}
		}
	}
	ev := Event{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), Data: json.RawMessage("{}")}
	if _, err := appendEvent(nil, &ev); err == nil {
		t.Error("the year 10000 was written")
	}
}
